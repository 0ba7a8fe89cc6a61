"""Two saves of one post that met: what each has changed, put together by line."""

from collections.abc import Mapping
from dataclasses import dataclass

from blog.posts.model import Post
from blog.texts.merging import Choice, Conflict, Merge, merge

# More than that nobody decides one by one.
MOST_CONFLICTS = 50


@dataclass(frozen=True, slots=True)
class Question:
    """One place that both have changed, each in their own way."""

    name: str  # of the field that answers it
    mine: str
    theirs: str


def put_together(began_with: Post, mine: str, theirs: Post) -> Merge:
    """The merge of both texts, made from the one that this author began with."""
    return merge(began_with.body, _normal(mine), theirs.body)


def questions(merged: Merge) -> list[Question]:
    """What a person has to decide, in the order of the text."""
    return [
        Question(f"choice-{number}", "\n".join(conflict.mine), "\n".join(conflict.theirs))
        for number, conflict in enumerate(_conflicts(merged))
    ]


def text_by(merged: Merge, answers: Mapping[str, str]) -> str:
    """The text that the answers make; where there is none, both sides stay."""
    choices = []
    for number in range(len(merged.conflicts)):
        answer = answers.get(f"choice-{number}", Choice.BOTH)
        choices.append(Choice(answer) if answer in set(Choice) else Choice.BOTH)
    return merged.build(choices)


def _conflicts(merged: Merge) -> tuple[Conflict, ...]:
    return merged.conflicts[:MOST_CONFLICTS]


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
