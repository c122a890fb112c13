"""Reading whole projects, page by page, whoever made what is in them. Nothing here writes.

estate.py   projects and folders (Resource Manager)    contents.py  jobs, models, endpoints and buckets
"""

from tuneform.platforms.vertex.auditing.contents import Contents
from tuneform.platforms.vertex.auditing.estate import Estate

__all__ = ["Contents", "Estate"]
