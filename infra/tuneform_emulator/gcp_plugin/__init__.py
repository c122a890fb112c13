"""A small `pulumi-resource-gcp` for the local stack.

It realises exactly the pulumi-gcp resource types that the tuneform program declares, over the REST that Google's
clients use, against a loopback endpoint only. Real stacks use Pulumi's own gcp plugin. Types, inputs and import
formats follow pulumi-gcp 10.2.0 (its Python classes are read for the checks); behaviour follows the documentation
in those classes and the Terraform Google provider that pulumi-gcp bridges.
"""

NAME = "gcp"
VERSION = "10.2.0"
"""The plugin says it is the version whose types it checks against, so that the engine accepts it."""
