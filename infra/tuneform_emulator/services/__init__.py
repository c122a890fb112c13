"""The emulated services: one module a resource, each with `routes(world)`; `server.MODULES` lists them."""
