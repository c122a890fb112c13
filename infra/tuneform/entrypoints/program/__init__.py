"""The Pulumi program: specs in, resources declared.

declare.py    the whole of it                     adoption.py   what is live already
project.py    APIs, agents                        resources.py  our provider's resources, as Pulumi classes
storage.py    keys and buckets                    accounts.py   service accounts and their grants
tunings.py    datasets, jobs, models
"""

from tuneform.entrypoints.program.declare import ProgramSettings, declare

__all__ = ["ProgramSettings", "declare"]
