"""How templates become Python: Jinja's way, with what pages do most written shorter."""

from collections.abc import MutableMapping
from keyword import iskeyword
from typing import Any

from flask.templating import Environment as FlaskEnvironment
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, optimizeconst
from markupsafe import Markup, escape

try:
    from markupsafe._speedups import _escape_inner
except ImportError:  # it was installed without a compiler
    from markupsafe._native import _escape_inner


class _Writer(CodeGenerator):
    """Writes `post.title` as it stands here, and values without making a `Markup` of each before they are joined."""

    @optimizeconst
    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 - Jinja calls it by this name
        """Jinja looks for an item where there is no attribute; here there is none, and AttributeError is raised."""
        # `self.title()` is a block of the template itself.
        is_itself = isinstance(node.node, nodes.Name) and node.node.name == "self"
        if is_itself or iskeyword(node.attr):
            super().visit_Getattr(node, frame)
            return
        self.visit(node.node, frame)
        self.write(f".{node.attr}")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.escaped(")


class Environment(FlaskEnvironment):
    """Flask's, where templates find all globals in one dict; every import of a macro goes through their names."""

    code_generator_class = _Writer

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """What a template sees: what is global when it is loaded."""
        return {**self.globals, **(d or {})}

    @staticmethod
    def escaped(value: Any) -> str:
        """What `escape` gives, as a text that is only joined to others."""
        kind = type(value)
        if kind is str:
            return _escape_inner(value)
        return value if kind is Markup else escape(value)
