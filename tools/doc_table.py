"""What the scripts that write tables into the documentation share: a part of a page, between two marks, is theirs."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def source(*path):
    return ROOT.joinpath(*path).read_text(encoding="utf-8")


def keep(page, begin, end, new, of):
    """Writes what stands between the marks; with --check only says where it is another. True: it is in step, or was written."""
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    head, rest = text.split(begin)
    whole = head + begin + new + end + rest.split(end, 1)[1]
    if sys.argv[1:] != ["--check"]:
        path.write_text(whole, encoding="utf-8")
    elif whole != text:
        print("%s is not in step with %s: run tools/%s" % (page, of, pathlib.Path(sys.argv[0]).name))
        return False
    return True
