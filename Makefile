.PHONY: check fix test docs

check:  ## what must hold before a commit
	ruff check .
	ruff format --check .
	mypy

fix:  ## let ruff mend what it can
	ruff check --fix .
	ruff format .

test:  ## the whole test suite
	pytest

docs:  ## the documentation, into site/
	mkdocs build --strict
