"""What the public headers declare, read from their text: functions, enumerators, headers."""
import pathlib
import re


def strip_comments(text):
    return re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)


class PublicApi:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.headers = sorted((self.root / "include" / "netfeat").glob("*.h"))
        self.text = {h.name: strip_comments(h.read_text()) for h in self.headers}

    def prototypes(self):
        """name -> declaration on one line, without the export macro."""
        found = {}
        for name, text in self.text.items():
            if name == "base.h":
                continue
            for declaration in re.findall(r"NETFEAT_API\s+([^;{]*?);", text, flags=re.S):
                line = " ".join(declaration.split())
                found[re.search(r"(netfeat_\w+)\s*\(", line).group(1)] = line
        return found

    def makers(self):
        """Functions that hand out something new, and so must be tested with failing allocations."""
        return {name for name, line in self.prototypes().items() if "NETFEAT_MUST_CHECK" in line}

    def constants(self):
        """Names of all enumerators, in order of appearance."""
        names = []
        for text in self.text.values():
            for body in re.findall(r"\benum\b[^{;]*\{(.*?)\}", text, flags=re.S):
                names += re.findall(r"(?:^|,)\s*([A-Z]\w*)", body)
        return names

    def map_symbols(self):
        """Symbols that lib/netfeat.map exports."""
        text = re.sub(r"#[^\n]*", "", strip_comments((self.root / "lib" / "netfeat.map").read_text()))
        exported = []
        for node in re.findall(r"\{(.*?)\}", text, flags=re.S):
            exported += re.findall(r"\b(netfeat_\w+)\s*;", node.split("local:")[0])
        return exported
