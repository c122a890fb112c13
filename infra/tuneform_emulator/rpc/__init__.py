"""The gRPC side of the emulator: the same services as over HTTP, on a loopback port of their own.

No service is written a second time. A call is decoded with the message classes of Google's own client package,
transcoded to the HTTP call that the API documents for it, answered by the same handlers, and its JSON answer is
encoded again: `methods` says which call is which, `messages` finds the classes, `transcoding` and `answers` go
there and back, `failures` makes statuses of refusals, `server` is the port.
"""
