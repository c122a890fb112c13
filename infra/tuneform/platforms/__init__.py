"""The platforms that tuneform can reconcile, each implementing the core's ports with the official clients."""
