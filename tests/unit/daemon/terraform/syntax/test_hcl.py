import pytest

from provisioner_operator.daemon.terraform.syntax.hcl import Argument, Block, literal_text, read_body

ACCEPTED = {
    "blanks after a heredoc's end": "a = <<E\nx\nE \t\n",
    "blanks before a heredoc's end": "a = <<E\nx\n  E\n",
    "a heredoc with a brace and a quote": 'a = [<<E\n}"\nE\n, 2]\n',
    "a heredoc with its marker inside a line": "a = <<E\nE x\n${1}E\nE\n",
    "a heredoc with an expression over lines": 'a = <<E\n${\n  { a = "}" }.a\n}\nE\n',
    "a heredoc in an expression of a heredoc": "a = <<E\n${<<F\nE}\nF\n}\nE\n",
    "a marker that begins with an underscore": "a = <<_E\nx\n_E\n",
    "a marker of another script": "a = <<größe-1\nx\ngröße-1\n",
    "lines that end with a carriage return": "a = <<E\r\nx\r\nE\r\n",
    "escaped templates": 'a = ["$${", "%%{", "$", "%", "$$", "\\"}"]\n',
    "a string in an expression of a string": 'a = "x${"}"}"\n',
    "comments that hold brackets": 'a = [ # ]\n  1, // "\n  /* ] <<E\n*/ 2]\n',
    "an object of another notation": "a = { for : 1, (2) = 3\n null = 4 }\n",
    "an end without a line break": "a = 1",
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_an_argument_ends_where_terraform_ends_it(text: str) -> None:
    head, tail = 'before "x" {}\n', "\nafter = 1 # comment\n"
    assert [getattr(item, "name", "") for item in read_body(head + text + tail)] == ["", "a", "after"]


@pytest.mark.parametrize(
    "header", ['a "b" c {}', 'a /* { */ "b" /* } */ c{}', 'a "\\u0062" "c" {}', "/* x */ a b c { /* } */ }"]
)
def test_a_block_has_the_labels_that_terraform_reads(header: str) -> None:
    [block] = read_body(header)
    assert isinstance(block, Block)
    assert (block.type, block.labels) == ("a", ("b", "c"))


def test_names_of_any_script_are_read() -> None:
    assert list(read_body("größe = 1\n名 = 2")) == [Argument("größe", "1"), Argument("名", "2")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("\na = [", "line 2 begins something that is not closed"),
        ("a = (]", "line 1 has a ']' that closes nothing"),
        ('a = "x\n"', "line 1 begins a string that is not closed on its line"),
        ("a = 1 + /* x", "line 1 begins a comment that is not closed"),
        ("a = <<E\nx\n", "line 1 begins something that is not closed"),
        ("a\n{}", "line 1 has a name that neither '=' nor a block follows"),
        ("\n\n;", "line 3 has neither an argument nor a block"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match="line") as caught:
        list(read_body(text))
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"a\\n\\u00e9"', "a\né"),
        ('("a") # b', "a"),
        ('( # c\n"a"\n) /* d */', "a"),
        ("<<E\n  a\n E \n", "  a\n"),
        ("<<-E\n\n    a\n   \n      b\n  E\n", "\na\n   \n  b\n"),
        ("<<E\r\n$${a} %%{b}\r\nE\r\n", "${a} %{b}\n"),
        ("<<E\nE\n", ""),
        ('"a${1}"', None),
        ('"a" == "b"', None),
        ("null", None),
    ],
)
def test_the_text_of_a_literal_is_that_of_terraform(expression: str, value: str | None) -> None:
    assert literal_text(expression) == value


def test_depth_and_length_do_no_harm() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert list(read_body(f"a = {deep}")) == [Argument("a", deep)]
    with pytest.raises(ValueError, match="not closed"):
        list(read_body("a = " + "/*" * 400_000))
