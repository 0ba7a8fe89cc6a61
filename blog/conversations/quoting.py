"""What to quote of a section: the run of its sentences and lines that holds the most of what was asked. Pure."""

from collections.abc import Collection, Mapping, Sequence

from blog.conversations.sections import LONGEST_PIECE

LONGEST_QUOTE = LONGEST_PIECE
_MOST_PIECES = 12


def quote_of(pieces: Sequence[str], present: Sequence[Collection[str]], weights: Mapping[str, float]) -> str:
    """The run of whole pieces, of their own words and in their order. `present`: what of the question each holds."""
    best, best_worth, best_length = (0, 1), -1.0, 0
    for start in range(len(pieces)):
        held: set[str] = set()
        length = -1
        for end in range(start, min(start + _MOST_PIECES, len(pieces))):
            length += len(pieces[end]) + 1
            if length > LONGEST_QUOTE:
                break
            held.update(present[end] if present else ())
            worth = round(sum(weights[word] for word in held), 6)
            # Of two that say as much the shorter one, and of those the first; then it goes on as far as there is room.
            if worth > best_worth or (worth == best_worth and length < best_length):
                best, best_worth, best_length = (start, end + 1), worth, length
    start, end = best
    quote = " ".join(pieces[start:end])
    while end < len(pieces) and len(quote) + 1 + len(pieces[end]) <= LONGEST_QUOTE:
        quote, end = f"{quote} {pieces[end]}", end + 1
    return quote
