"""Write random files of Terraform's language, of which many are valid: what confuses a reader is frequent in them."""

from random import Random

_STRING = ["$", "%", "{", "}", "$${", "%%{", '\\"', "\\\\", "a", " ", "#", "//", "/*", "é", "~", "\\u00e9", "\\n"]
_HEREDOC = [
    "$",
    "%",
    "{",
    "}",
    "$${",
    "%%{",
    '"',
    "\\",
    "a",
    "E",
    " ",
    "  ",
    "\n",
    "\n",
    "\n E x\n",
    "#",
    "/*",
    "é",
    "\t",
]
_TEMPLATES = ["${1}", '${"x"}', '${"}"}', '${ {a="}"}.a }', "%{ if true }y%{ endif }"]
_LONG_TEMPLATES = ["${\n1\n}", "${<<F\nE}\nF\n}", "%{ if true ~}\ny%{ endif }"]
_BLANKS = ["", " ", "\t", ' /* } " */ ', "/*<<E\n*/ "]
_ENDS = ["\n", "\n", "# }\n", '// "\n', "\r\n", " /* x */\n"]
_TYPES = ["any", "string", "object({\na=string # x\n\n b=number\n})", 'map(object({a=optional(list(string),["}"])}))']


def generate(numbers: Random, number: int) -> str:
    """Return a file that declares variable `v<number>`, and perhaps a local value and a resource."""
    writer = _Writer(numbers)
    text = writer.one_of(["", '/* variable "no" {} */', '# variable "no" {\n', "\n"]) + writer.variable(number)
    if numbers.random() < 0.5:
        text += f"\nlocals {{\n l{number} ={writer.blank()}{writer.expression()}\n}}"
    if numbers.random() < 0.5:
        kind = writer.one_of(["terraform_data", '"terraform_data"'])
        command = 'provisioner "local-exec" {\n command = <<-E\n    }\n  E  \n}\n'
        body = f"input ={writer.blank()}{writer.expression()}\n{writer.one_of(['', 'lifecycle {}', command])}"
        text += f'\nresource {kind} "r{number}" {{\n{body}\n}}'
    return text + writer.one_of(["", "\n", "#", "\n\n", "//x"])


class _Writer:
    def __init__(self, numbers: Random) -> None:
        self._numbers = numbers

    def one_of(self, texts: list[str]) -> str:
        return self._numbers.choice(texts)

    def blank(self) -> str:
        return self.one_of(_BLANKS)

    def variable(self, number: int) -> str:
        chance = self._numbers.random
        arguments: list[str] = []
        if chance() < 0.7:
            text = self.one_of([self.string(), self.heredoc(), '("x")'])
            arguments.append(f"description{self.blank()}={self.blank()}{text}")
        if chance() < 0.5:
            arguments.append(f"default{self.blank()}={self.blank()}{self.expression()}")
        if chance() < 0.3:
            arguments.append("sensitive=" + self.one_of(["true", "false", '"true"', '"false"', "(true)"]))
        if chance() < 0.3:
            message = self.one_of(['"no}."', self.heredoc()])
            condition = f"var.v{number} != {self.expression(2)}"
            arguments.append(f"validation {{\ncondition = {condition}\nerror_message={message}\n}}")
        if chance() < 0.3:
            arguments.append(f"type{self.blank()}={self.blank()}{self.one_of(_TYPES)}")
        self._numbers.shuffle(arguments)
        lines = [each if each.endswith("\n") else each + self.one_of(_ENDS) for each in arguments]
        name = self.one_of([f"v{number}", f'"v{number}"', f'"\\u0076{number}"'])
        return f"variable{self.blank()} {name}{self.blank()}{{{self.one_of(_ENDS)}{''.join(lines)}}}"

    def string(self, templates: tuple[str, ...] = ()) -> str:
        return f'"{self._mixed([*_STRING, *templates], 6)}"'

    def heredoc(self, templates: tuple[str, ...] = ()) -> str:
        text = self._mixed([*_HEREDOC, *templates], 8)
        end = self.one_of(["\n", "\n", "\r\n"])
        return f"<<{self.one_of(['', '-'])}E{end}{text}{end}{self.one_of(['', ' ', '    '])}E{self.one_of(['', '  '])}{end}"

    def expression(self, depth: int = 0) -> str:
        kind = self._numbers.randrange(11 if depth < 3 else 4)
        if kind == 0:
            return self.string((*_TEMPLATES,))
        if kind == 1:
            return self.heredoc((*_TEMPLATES, *_LONG_TEMPLATES))
        if kind < 4:
            return self.one_of(["1", "-2.5e3", "true", "null", '"x"', '"$"', '"%"', '"$${"', '""'])
        return self._compound(self.expression(depth + 1), self.expression(depth + 1))

    def _compound(self, one: str, other: str) -> str:
        separator, item_end = self.one_of([",", ",\n", ",# ]\n"]), self.one_of([",", "\n", "# }\n"])
        gap, key = self.one_of(["", "\n", "#)\n"]), self.one_of(["a", '"b"', "(1)", "for", "in", "null", "é"])
        forms = [
            f"[{self.blank()}{one}{separator}{other}{self.blank()}]",
            f"{{{self.one_of(['', gap])}{key}{self.blank()}{self.one_of(['=', ':'])} {one}{item_end}c={other}{gap}}}",
            f"({gap}{one}{gap})",
            f"{one}{self.one_of(['==', '!='])}{other}",
            f"true ? {one} : {other}",
            f'"a${{{one}}}b"',
            f'{{for k, v in {one} : "k" => {other}{self.one_of(["", "..."])} if true}}',
        ]
        return self.one_of(forms)

    def _mixed(self, parts: list[str], most: int) -> str:
        return "".join(self.one_of(parts) for _ in range(self._numbers.randrange(most)))
