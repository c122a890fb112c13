"""A report: one HTML page about all projects, and its curves. Pure: a look goes in, text and bytes come out.

data.py      what a report says, as frozen data        page.py    the data as a page, with jinja2
gather.py    that data from a look, its plan, curves   plots.py   curves as SVG and PNG, with matplotlib
standing.py  the state of a tuning in a word           svg.py     what matplotlib draws, made fit for a page
statistics.py  figures of a dataset                    words.py   a curve in words

jinja2 and matplotlib are imported where they are used: loading them takes a second, and importing this room takes none.
"""

from tuneform.review.report.data import ProjectPart, Report
from tuneform.review.report.gather import Looked, project_part
from tuneform.review.report.judged import Judged
from tuneform.review.report.page import page
from tuneform.review.report.pictures import pictures
from tuneform.review.report.statistics import DatasetStatistics, statistics

__all__ = [
    "DatasetStatistics",
    "Judged",
    "Looked",
    "ProjectPart",
    "Report",
    "page",
    "pictures",
    "project_part",
    "statistics",
]
