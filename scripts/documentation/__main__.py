"""Update the generated parts of the documentation: python -m scripts.documentation."""

from .pages import PAGES


def main() -> None:
    """Write the pages that have changed, and print their names."""
    for page in PAGES:
        text = page.written()
        if text != page.path.read_text(encoding="utf-8"):
            page.path.write_text(text, encoding="utf-8")
            print(f"Wrote {page.path.name}")


if __name__ == "__main__":
    main()
