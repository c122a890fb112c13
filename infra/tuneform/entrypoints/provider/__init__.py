"""The Pulumi provider `tuneform`: Dataset, TuningJob and TunedModel for every Pulumi language.

    __main__.py   starts it, ends it with the engine      server.py    the gRPC protocol
    wire.py       Pulumi's values as plain data           shape.py     inputs against schema.json
    session.py    configuration, ports, log, cancelling   resources/   one module a resource
    policies.py   policies at Check                       importing.py ids to inputs

What is to be done is decided in `tuneform.reconcile`; here it is translated.
"""
