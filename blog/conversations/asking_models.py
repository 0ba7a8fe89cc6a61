"""Answers from a model behind an OpenAI-compatible address, which the owner has set."""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from blog.conversations.answering import Prompt, Silent
from blog.conversations.model import Message
from blog.conversations.prompting import Turn, prompt_of, prompt_to_rewrite, prompt_to_summarise

if TYPE_CHECKING:
    from openai import OpenAI

_SILENT = "The model that answers here did not give a whole answer. Your question is kept: ask again in a while."
_SECONDS = 60.0  # without a word
_LONGEST_SECONDS = 300.0  # from the first to the last
# Nothing is sent to the reader meanwhile, and the conversation's lock is not extended.
_LONGEST_LINE_SECONDS = 10.0
_WAIT_SECONDS = 5.0
_LONGEST_ANSWER = 16_000
_LONGEST_LINE = 2000
_MOST_TOKENS = 1500
# What no text holds: control characters, and halves of characters.
_UNTEXT = dict.fromkeys([*range(9), 11, 12, *range(13, 32), 127], "") | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")

log = structlog.get_logger()


class Model:
    """One endpoint and the name of a model there."""

    def __init__(self, url: str, model: str, api_key: str | None) -> None:
        self._url, self._model, self._api_key = url, model, api_key
        self._client: OpenAI | None = None
        self._lock = threading.Lock()

    def answer(self, prompt: Prompt) -> Iterator[str | None]:
        """See `Answerer`. What the model says is passed on as it comes, up to a bound."""
        left, has_spoken = _LONGEST_ANSWER, False
        for piece in self._pieces(prompt_of(prompt), _LONGEST_SECONDS):
            if piece is None:
                yield None
                continue
            has_spoken = has_spoken or not piece.isspace()
            if len(piece) > left:
                yield f"{piece[:left]} …"
                return
            left -= len(piece)
            yield piece
        if not has_spoken:
            raise Silent(_SILENT)

    def rewrite(self, question: str, last: Sequence[Message]) -> str:
        """See `Answerer`. The first question is looked for as it is."""
        return self._line(prompt_to_rewrite(question, last), _LONGEST_LINE_SECONDS) if last else question

    def summarise(self, former: str, messages: Sequence[Message]) -> str | None:
        """See `Answerer`."""
        return self._line(prompt_to_summarise(former, messages), _LONGEST_SECONDS)

    def _line(self, turns: list[Turn], seconds: float) -> str:
        text = ""
        for piece in self._pieces(turns, seconds):
            text += piece or ""
            if len(text) > _LONGEST_LINE:
                break
        return " ".join(text.split())[:_LONGEST_LINE]

    def _pieces(self, turns: list[Turn], seconds: float) -> Iterator[str | None]:
        """What the model says, piece by piece, and None every few seconds without one. Raises Silent."""
        listening, deadline = _Listening(), time.monotonic() + seconds
        threading.Thread(target=self._listen, args=(turns, listening), daemon=True).start()
        try:
            while (left := deadline - time.monotonic()) > 0:
                try:
                    piece = listening.pieces.get(timeout=min(_WAIT_SECONDS, left))
                except queue.Empty:
                    yield None
                    continue
                if piece is None:
                    return
                if isinstance(piece, Exception):
                    log.warning("the model gave no answer", reason=type(piece).__name__)
                    raise Silent(_SILENT) from piece
                yield piece
            log.warning("the model gave no answer", reason="took too long")
            raise Silent(_SILENT)
        finally:
            listening.end()

    def _listen(self, turns: list[Turn], listening: "_Listening") -> None:
        try:
            messages: list[Any] = [{"role": turn.role, "content": turn.content} for turn in turns]
            is_whole = False
            with self._connected().chat.completions.create(
                model=self._model, messages=messages, stream=True, max_tokens=_MOST_TOKENS
            ) as stream:
                for chunk in stream:
                    if listening.is_over.is_set():
                        return
                    if not chunk.choices:
                        continue
                    text: object = chunk.choices[0].delta.content
                    if isinstance(text, str) and (clean := text.translate(_UNTEXT)):
                        listening.pieces.put(clean)
                    is_whole = is_whole or chunk.choices[0].finish_reason is not None
            # A connection that was cut looks like an end.
            listening.pieces.put(None if is_whole else EOFError("It broke off."))
        except Exception as error:  # noqa: BLE001 - a model may send anything, and the reader gets one sentence
            listening.pieces.put(error)

    def _connected(self) -> "OpenAI":
        # It takes a second to load, and most sites have no model.
        from openai import DefaultHttpxClient, OpenAI

        with self._lock:
            if self._client is None:
                # Nobody but whom the owner has named gets what readers ask, and the key.
                http = DefaultHttpxClient(follow_redirects=False)
                key = self._api_key or "none"
                self._client = OpenAI(
                    base_url=self._url, api_key=key, timeout=_SECONDS, max_retries=0, http_client=http
                )
            return self._client


class _Listening:
    """What one thread hears of a model, for another."""

    def __init__(self) -> None:
        self.pieces: queue.Queue[str | Exception | None] = queue.Queue()
        self.is_over = threading.Event()

    def end(self) -> None:
        """Nobody wants any more of it."""
        self.is_over.set()
