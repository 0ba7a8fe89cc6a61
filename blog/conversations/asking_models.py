"""Answers from a model behind an OpenAI-compatible address, which the owner has set."""

import queue
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from blog.conversations.answering import Prompt, Silent
from blog.conversations.model import Message
from blog.conversations.prompting import Turn, prompt_of, prompt_to_rewrite, prompt_to_summarise

if TYPE_CHECKING:
    from openai import OpenAI, Stream
    from openai.types.chat import ChatCompletionChunk

    from blog.conversations.listening import Listening

_SILENT = "The model that answers here did not give a whole answer. Your question is kept: ask again in a while."
_FILTER = "content_filter"
_FILTERED = "The model that answers here was stopped by a filter. Your question is kept: ask it with other words."
_CUT = " …\n\nThis is as long as an answer may be here: ask for what is missing."
_CONNECT_SECONDS = 10.0
_SECONDS = 60.0  # without a word
_LONGEST_SECONDS = 300.0  # from the first to the last
# Nothing is sent to the reader meanwhile, and the conversation's lock is not extended.
_LONGEST_LINE_SECONDS = 10.0
# All other jobs wait meanwhile; and a model that is not well is left alone by them for a while.
_LONGEST_SUMMARY_SECONDS, _REST_SECONDS = 20.0, 60.0
# A reader who has left is noticed so much later at most.
_WAIT_SECONDS = 0.5
_LONGEST_ANSWER = 16_000
_LONGEST_LINE = 2000
_MOST_TOKENS = 1500
# What no text holds: control characters, and halves of characters.
_UNTEXT = dict.fromkeys([*range(9), 11, 12, *range(13, 32), 127], "") | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
# Names of the same bound: what most know, and what the newer models of OpenAI want instead.
_LIMIT, _OTHER_LIMIT = "max_tokens", "max_completion_tokens"
_USAGE = "stream_options"

log = structlog.get_logger()


class Model:
    """One endpoint and the name of a model there."""

    def __init__(self, url: str, model: str, api_key: str | None) -> None:
        self._url, self._model, self._api_key = url, model, api_key
        self._client: OpenAI | None = None
        self._lock = threading.Lock()
        self._limit, self._tells_usage = _LIMIT, True
        self._rests_until = 0.0

    def answer(self, prompt: Prompt) -> Generator[str | None, None, None]:
        """See `Answerer`. What the model says is passed on as it comes, up to a bound."""
        left, has_spoken, listening = _LONGEST_ANSWER, False, _listen_for(_LONGEST_SECONDS)
        for piece in self._pieces(prompt_of(prompt), listening):
            if piece is None:
                yield None
                continue
            has_spoken = has_spoken or not piece.isspace()
            if len(piece) > left:
                yield f"{piece[:left]}{_CUT}"
                return
            left -= len(piece)
            yield piece
        if listening.reason == _FILTER:
            # Asked again it would be filtered again: this is its answer.
            yield f"\n\n{_FILTERED}" if has_spoken else _FILTERED
            return
        if not has_spoken:
            raise Silent(_SILENT)
        if listening.reason == "length":
            yield _CUT

    def rewrite(self, question: str, last: Sequence[Message]) -> str:
        """See `Answerer`. The first question is looked for as it is."""
        return self._line(prompt_to_rewrite(question, last), _LONGEST_LINE_SECONDS) if last else question

    def summarise(self, former: str, messages: Sequence[Message]) -> str | None:
        """See `Answerer`. Once it was silent it is not asked for a while."""
        if time.monotonic() < self._rests_until:
            raise Silent(_SILENT)
        try:
            return self._line(prompt_to_summarise(former, messages), _LONGEST_SUMMARY_SECONDS)
        except Silent:
            self._rests_until = time.monotonic() + _REST_SECONDS
            raise

    def _line(self, turns: list[Turn], seconds: float) -> str:
        text, listening = "", _listen_for(seconds)
        for piece in self._pieces(turns, listening):
            text += piece or ""
            if len(text) > _LONGEST_LINE:
                break
        if listening.reason == _FILTER:
            raise Silent(_FILTERED)
        return " ".join(text.split())[:_LONGEST_LINE]

    def _pieces(self, turns: list[Turn], listening: "Listening") -> Iterator[str | None]:
        """What the model says, piece by piece, and None twice a second without one. Raises Silent.

        However it ends, also when nobody asks for more, the model is cut off.
        """
        threading.Thread(target=self._listen, args=(turns, listening), name="listens to a model", daemon=True).start()
        try:
            while (left := listening.left) > 0:
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

    def _listen(self, turns: list[Turn], listening: "Listening") -> None:
        try:
            with listening.hearing(), self._ask(turns) as stream:
                for chunk in stream:
                    if chunk.usage is not None:
                        _note(chunk.usage)
                    if not chunk.choices:
                        continue
                    text: object = chunk.choices[0].delta.content
                    if isinstance(text, str) and (clean := text.translate(_UNTEXT)):
                        listening.pieces.put(clean)
                    listening.reason = listening.reason or str(chunk.choices[0].finish_reason or "")
            # A connection that was cut looks like an end.
            listening.pieces.put(None if listening.reason else EOFError("It broke off."))
        except Exception as error:  # noqa: BLE001 - a model may send anything, and the reader gets one sentence
            listening.pieces.put(error)

    def _ask(self, turns: list[Turn]) -> "Stream[ChatCompletionChunk]":
        """What is not known everywhere is asked for until it is refused, and then never again."""
        from openai import BadRequestError, UnprocessableEntityError

        limit, tells_usage = self._limit, self._tells_usage
        while True:
            try:
                stream = self._ask_with(turns, limit, tells_usage)
            except (BadRequestError, UnprocessableEntityError) as error:
                if limit == _LIMIT and error.param == _LIMIT:
                    limit = _OTHER_LIMIT
                elif tells_usage and _USAGE in error.response.text:
                    tells_usage = False
                else:
                    raise
            else:
                self._limit, self._tells_usage = limit, tells_usage
                return stream

    def _ask_with(self, turns: list[Turn], limit: str, tells_usage: bool) -> "Stream[ChatCompletionChunk]":
        messages: list[Any] = [{"role": turn.role, "content": turn.content} for turn in turns]
        more: dict[str, Any] = {limit: _MOST_TOKENS} | ({_USAGE: {"include_usage": True}} if tells_usage else {})
        return self._connected().chat.completions.create(
            model=self._model, messages=messages, stream=True, extra_body=more
        )

    def _connected(self) -> "OpenAI":
        # It takes a second to load, and most sites have no model.
        from openai import OpenAI, Timeout

        from blog.conversations.listening import make_client

        with self._lock:
            if self._client is None:
                key = self._api_key or "none"
                timeout = Timeout(_SECONDS, connect=_CONNECT_SECONDS)
                # Nobody but whom the owner has named gets what readers ask, and the key.
                self._client = OpenAI(
                    base_url=self._url, api_key=key, timeout=timeout, max_retries=0, http_client=make_client()
                )
            return self._client


def _listen_for(seconds: float) -> "Listening":
    from blog.conversations.listening import Listening

    return Listening(seconds)


def _note(usage: object) -> None:
    """How many tokens it says that it used, for whoever pays for them."""
    used = [getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens")]
    if all(isinstance(count, int) for count in used):
        log.info("a model was asked", prompt_tokens=used[0], completion_tokens=used[1])
