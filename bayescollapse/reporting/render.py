"""Page: sections as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bayescollapse.reporting.section import Section, figure_uri, table_cells

__all__ = ["LONG", "checked", "page"]

LONG = 60
"""Most rows of a table that is shown whole; a longer one scrolls, and says so."""


def page(title: str, lead: str, sections: Sequence[Section], path: str | Path) -> Path:
    """Write sections as one HTML file that needs nothing beside it.

    Styles are inside, figures are PNG data URIs, there is no script and no reference to anything
    outside. Tables that are too wide for the screen scroll inside their own frame, with a shade
    where columns are hidden; those of more than 60 rows scroll up and down as well, and say so.
    Colours follow the reader's choice of light or dark.

    Parameters
    ----------
    title : str
        Heading of the page.
    lead : str
        What the page says, in a few sentences; blank lines part paragraphs.
    sections : sequence of Section
        Content, in order.
    path : str or Path
        File to write; folders are made. It is replaced only when the page is complete.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TypeError
        If something in `sections` is no Section.
    ValueError
        If `title` is empty or `path` does not end in ``.html``.

    Notes
    -----
    All text is escaped: names of schemes, columns and parameters cannot become markup.

    Examples
    --------
    >>> import tempfile
    >>> from bayescollapse.reporting import Section, page
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page("Result", "One table.", [Section("A", table=[{"x": 1}])], folder + "/a.html").name
    'a.html'
    """
    target = checked(title, sections, path)
    text = _template().render(
        title=title,
        lead=Section(title, lead).paragraphs,
        sections=[_plain(number, section) for number, section in enumerate(sections, start=1)],
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + ".part")
    unfinished.write_text(text, encoding="utf-8")
    return unfinished.replace(target)


def checked(title: str, sections: Sequence[Section], path: str | Path) -> Path:
    """Refuse what no page can be made of; give the path otherwise.

    Parameters
    ----------
    title, sections, path
        As for :func:`page`.
    """
    if not title.strip():
        raise ValueError(f"title must not be empty, got {title!r}: name the page")
    for section in sections:
        if not isinstance(section, Section):
            raise TypeError(
                f"sections must hold bayescollapse.reporting.Section values, got "
                f"{type(section).__name__}: wrap it in Section(title, …)"
            )
    target = Path(path)
    if target.suffix != ".html":
        raise ValueError(f"path must end in '.html', got {str(path)!r}: add the ending")
    return target


def _plain(number: int, section: Section) -> dict[str, Any]:
    head, rows = ([], []) if section.table is None else table_cells(section.table)
    return {
        "anchor": f"section-{number}",
        "title": section.title,
        "paragraphs": section.paragraphs,
        "head": head,
        "rows": rows,
        "long": len(rows) > LONG,
        "figure": None if section.figure is None else figure_uri(section.figure),
        "caption": section.caption,
    }


def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("bayescollapse.reporting", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
