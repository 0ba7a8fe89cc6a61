"""Answers from a model behind an OpenAI-compatible address, which the owner has set."""

import queue
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from blog.conversations.answering import Prompt, Silent
from blog.conversations.model import Message
from blog.conversations.prompting import Turn, prompt_of, prompt_to_rewrite, prompt_to_summarise

if TYPE_CHECKING:
    from openai import OpenAI

_SILENT = "The model that answers here did not give an answer. Your question is kept: ask again in a while."
_SECONDS = 60.0  # without a word
_WAIT_SECONDS = 5.0
_LONGEST_ANSWER = 16_000
_LONGEST_LINE = 2000
_MOST_TOKENS = 1500


class Model:
    """One endpoint and the name of a model there."""

    def __init__(self, url: str, model: str, api_key: str | None) -> None:
        self._url, self._model, self._api_key = url, model, api_key
        self._client: OpenAI | None = None
        self._lock = threading.Lock()

    def answer(self, prompt: Prompt) -> Iterator[str | None]:
        """See `Answerer`. What the model says is passed on as it comes, up to a bound."""
        said = 0
        for piece in self._pieces(prompt_of(prompt)):
            if piece is None:
                yield None
                continue
            said += len(piece)
            if said > _LONGEST_ANSWER:
                yield " …"
                return
            yield piece
        if not said:
            raise Silent(_SILENT)

    def rewrite(self, question: str, last: Sequence[Message]) -> str:
        """See `Answerer`. The first question, and one that cannot be rewritten, is looked for as it is."""
        if not last:
            return question
        try:
            return self._line(prompt_to_rewrite(question, last)) or question
        except Silent:
            return question

    def summarise(self, former: str, messages: Sequence[Message]) -> str | None:
        """See `Answerer`."""
        return self._line(prompt_to_summarise(former, messages))

    def _line(self, turns: list[Turn]) -> str:
        text = ""
        for piece in self._pieces(turns):
            text += piece or ""
            if len(text) > _LONGEST_LINE:
                break
        return " ".join(text.split())[:_LONGEST_LINE]

    def _pieces(self, turns: list[Turn]) -> Iterator[str | None]:
        """What the model says, piece by piece, and None every few seconds without one. Raises Silent."""
        pieces: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()
        is_over = threading.Event()
        threading.Thread(target=self._listen, args=(turns, pieces, is_over), daemon=True).start()
        try:
            while True:
                try:
                    piece = pieces.get(timeout=_WAIT_SECONDS)
                except queue.Empty:
                    yield None
                    continue
                if piece is None:
                    return
                if isinstance(piece, Exception):
                    raise Silent(_SILENT) from piece
                yield piece
        finally:
            is_over.set()

    def _listen(
        self, turns: list[Turn], pieces: "queue.SimpleQueue[str | Exception | None]", is_over: threading.Event
    ) -> None:
        try:
            messages: list[Any] = [{"role": turn.role, "content": turn.content} for turn in turns]
            with self._connected().chat.completions.create(
                model=self._model, messages=messages, stream=True, max_tokens=_MOST_TOKENS
            ) as stream:
                for chunk in stream:
                    if is_over.is_set():
                        return
                    if chunk.choices and (text := chunk.choices[0].delta.content):
                        pieces.put(text)
        except Exception as error:  # noqa: BLE001  a model may send anything, and the reader gets one sentence
            pieces.put(error)
        else:
            pieces.put(None)

    def _connected(self) -> "OpenAI":
        # It takes a second to load, and most sites have no model.
        from openai import OpenAI

        with self._lock:
            if self._client is None:
                key = self._api_key or "none"
                self._client = OpenAI(base_url=self._url, api_key=key, timeout=_SECONDS, max_retries=0)
            return self._client
