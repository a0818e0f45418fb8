# Everything that needs more than one line is in tools/, where it also runs without make (on Windows: see the README).

# Another Python: make lab PYTHON=/path/to/python3.13. More for JupyterLab: make lab ARGS="--port 9000 --no-browser".
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python,$(shell command -v $(name) 2>/dev/null)))
ARGS ?=
BOOTSTRAP = "$(if $(PYTHON),$(PYTHON),$(error No Python on this machine: install Python 3.13 from https://www.python.org/downloads/))" tools/bootstrap.py

.PHONY: help lab test check reset notebooks bench pictures site requirements

help:
	@echo 'make lab           set everything up and open the first lesson in JupyterLab'
	@echo 'make reset         bring a lesson back as it was and keep yours beside it: make reset LESSON=05 (or all)'
	@echo 'make test          run every check: style, types, unit tests, a real browser, notebooks, the site'
	@echo 'make check         run the quick ones, within a minute: style, types, protocol, aio, tools'
	@echo 'make notebooks     execute the notebooks again and store them in their normal form'
	@echo 'make bench         measure the speed beside other libraries, and how long lessons and checks take'
	@echo 'make pictures      draw the pictures of the README anew'
	@echo 'make site          build the reading edition, the course as a site, in _site'
	@echo 'make requirements  choose the versions of all packages anew (maintainers; needs uv)'

lab:
	@$(BOOTSTRAP) lab $(ARGS)

test:
	@$(BOOTSTRAP) test

check:
	@$(BOOTSTRAP) check

reset:
	@$(BOOTSTRAP) reset $(LESSON)

notebooks:
	@$(BOOTSTRAP) notebooks $(ARGS)

bench:
	@$(BOOTSTRAP) bench $(ARGS)

pictures:
	@$(BOOTSTRAP) pictures

site:
	@$(BOOTSTRAP) site

requirements:
	uv pip compile --universal --python-version 3.11 --all-extras --upgrade \
		--no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.txt
