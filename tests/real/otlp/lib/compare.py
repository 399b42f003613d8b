"""Compares what a back end has with what was sent, span by span along the trees, and counts."""

import collections
import math

from spans import FIELDS, trees

FEW = 5


class Report:
    """How many of each were expected, and how many agree."""

    def __init__(self):
        self.expected, self.agree = collections.Counter(), collections.Counter()
        self.wrong = []

    def say(self, what, agrees, detail=""):
        self.expected[what] += 1
        self.agree[what] += bool(agrees)
        if not agrees:
            self.wrong.append((what, detail))

    @property
    def holds(self):
        return not self.wrong

    def differences(self):
        """A few of each kind."""
        by_kind = collections.defaultdict(list)
        for what, detail in self.wrong:
            by_kind[what].append(detail)
        for what, details in by_kind.items():
            yield from (f"{what}: {detail}" for detail in details[:FEW])
            if len(details) > FEW:
                yield f"{what}: and {len(details) - FEW} more"


def compare(expected, seen, readable, report):
    """`expected`: root spans by trace id; `seen`: all spans of a back end; `readable`: fields that it can say."""
    roots, lost = trees(seen)
    for span in lost:
        report.say("parents", False, f"{span.name} of {span.trace} has the parent {span.parent}, which is not there")
    for trace in roots.keys() - expected.keys():
        report.say("runs", False, f"trace {trace} is of nobody")
    for trace, root in expected.items():
        report.say("runs", trace in roots, f"{root.name}, trace {trace}, is missing")
        if trace in roots:
            along(root, roots[trace], readable, report)
    report.seen = collections.Counter(span.kind for span in seen)
    report.wanted = collections.Counter(span.kind for root in expected.values() for span in root.around())


def along(wanted, seen, readable, report):
    for field in FIELDS:
        if field in readable:
            one(field, wanted, seen, report)
    names = [child.name for child in wanted.children]
    found = [child.name for child in seen.children]
    report.say("parents", names == found, f"in {seen.name} of {seen.trace} are {found}, not {names}")
    for pair in zip(wanted.children, seen.children):
        along(*pair, readable, report)


def one(field, wanted, seen, report):
    want, got = getattr(wanted, field), getattr(seen, field)
    if field != "failed" and want is None:
        return
    # An empty text says nothing, and may be left out.
    is_same = want == got or (want, got) == ("", None)
    agrees = math.isclose(want, got or 0, rel_tol=1e-9) if field == "cost" else is_same
    report.say(field, agrees, f"{seen.name} of {seen.trace}: {short(got)}, not {short(want)}")


def short(what):
    text = repr(what)
    return text if len(text) < 700 else f"{text[:700]}…"
