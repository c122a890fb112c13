"""Every code there is, with its meaning: those of specs, of datasets, and of runs (settings, calls, plan files)."""

from __future__ import annotations

from collections.abc import Mapping

from tuneform.datasets import codes as datasets
from tuneform.specs.reference import codes as specs
from tuneform.specs.reference.codes import Code

# The example of a code here is a command in a folder that holds specs, with what it prints.
RUNS: Mapping[str, Code] = {
    "E000": Code(
        "Defect of tuneform",
        "Something happened that tuneform has no words for. `apply --watch` logs it and goes on; please report it.",
    ),
    "E100": Code(
        "Specs with mistakes", "What `apply --watch` logs for them; each mistake has a code of its own."
    ),
    "E200": Code("Datasets with mistakes", "The same for datasets."),
    "E300": Code(
        "Setting that cannot be used",
        "A flag, an argument, an environment variable, a line of tuneform.toml or a stack setting; the message says "
        "which.",
        "$ tuneform explain TuningJobs\n"
        "error[E300]: nothing is called 'TuningJobs'\n"
        "   = remedy: did you mean 'TuningJob'?",
    ),
    "E310": Code(
        "Resource type that the provider has not",
        "A Pulumi program asks tuneform's provider for something else than Dataset, TuningJob or TunedModel.",
    ),
    "E400": Code(
        "Something is missing on this machine",
        "The emulator does not run, there are no Google credentials, a port is taken, or the engine ended unasked.",
        "$ tuneform status\n"
        "error[E400]: the emulator is not running\n"
        "   = remedy: start it with `tuneform emulator start`",
    ),
    "E410": Code(
        "No engine",
        "`up`, `preview`, `refresh` and `destroy` drive the Pulumi engine, which is not here and could be neither "
        "fetched nor built; each way that was tried is named with what stopped it.",
    ),
    "E411": Code(
        "No place for the engine",
        "The folder that the engine is kept in cannot be written.",
    ),
    "E420": Code(
        "Waiting called off",
        "The run was interrupted. Jobs go on and are recorded: the next run takes them up.",
    ),
    "E500": Code("Call that failed", "A remote call failed in a way that is none of the following."),
    "E510": Code(
        "Call that did nothing",
        "The service took no call for the moment (a quota, for instance). It was tried again for a while; run the "
        "command again later. A tuning job beyond the quota of jobs waits in line instead while jobs of its project "
        "run.",
    ),
    "E520": Code(
        "Call of which nobody knows what it did",
        "No answer, one that came too late, or one that cannot be read. The next run looks first: a job that was made "
        "is found and paid for once.",
    ),
    "E530": Code(
        "Call that was refused",
        "It will be refused again until somebody changes what the message names: a permission, a value in the specs.",
    ),
    "E531": Code("Nothing of that name", "What the call names does not exist, or not any more."),
    "E532": Code(
        "Name that is taken", "Something of that name exists and is not ours, or was made a moment ago."
    ),
    "E540": Code(
        "Record changed by others",
        "Another run wrote the ledger first. Runs look again by themselves; only one that is beaten time and again "
        "says so.",
    ),
    "E600": Code(
        "What is live does not allow it",
        "A job failed, a gate was not passed, a name belongs to somebody else, or what is asked for would cost a job "
        "that nobody allowed. The remedy says what a person can decide.",
    ),
    "E610": Code(
        "Not a plan file",
        "`apply FILE` takes specs or a plan that `plan --out` saved; this is neither.",
        "$ tuneform apply notes.txt\n"
        "error[E610]: notes.txt is neither specs nor a plan file\n"
        "   = remedy: make a new one with `tuneform plan --out`",
    ),
    "E611": Code("Plan file cut off", "It was cut off, or edited so that it is not JSON any more."),
    "E612": Code("Plan file edited", "Its digest does not fit what it holds."),
    "E613": Code("Plan file of a newer tuneform", "Apply it with the version that made it."),
    "E614": Code(
        "Plan file of another project",
        "It was made for another project or location, or for the emulator and not for Google Cloud.",
    ),
    "E615": Code(
        "Stale plan",
        "The specs or what is live have changed since it was made. What would be done now and was not planned, and the "
        "other way round, is named.",
    ),
    "E620": Code("Nothing serves yet", "The TunedModel has no revision that passed its gate so far."),
    "E621": Code(
        "Nothing answers for that",
        "There is no endpoint any more for that revision or checkpoint; `tuneform status NAME` lists what is kept.",
    ),
    "E630": Code(
        "Decision that does not fit",
        "What `tuneform resolve` was told of an attempt is not what is live, or whoever began it may be at work.",
    ),
    "E640": Code(
        "Job that cannot be adopted",
        "`tuneform import` names why: another owner's, ours already, without a model, or of a kind that specs cannot "
        "say.",
    ),
    "E650": Code(
        "File of projects with mistakes",
        "What `tuneform audit --projects FILE` reads: plain lines of `PROJECT [LOCATION …]`, or a YAML list. Each "
        "mistake is shown at its place.",
    ),
    "E700": Code(
        "Engine that ended with errors",
        "`tuneform up` shows each at its place in the specs, with the engine's own words where it has no code of ours. "
        "What was done stays done; the same command goes on.",
    ),
}
CODES: Mapping[str, Code] = {**specs.CODES, **datasets.CODES, **RUNS}
"""By code; no code means two things."""
