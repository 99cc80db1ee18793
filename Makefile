# Each target installs what it needs into .venv, again only when pyproject.toml has changed.
PYTHON ?= python3
SAMPLE := edge/data/astronaut.jpg
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

# Of weights trained on permissively licensed photos alone, written into the files.
PERMISSIVE := "free for any use, with the credits in LICENSE-WEIGHTS"
LIMIT = $(if $(MINUTES),--minutes $(MINUTES))

export IMAGE DATA  # read by the shell from the environment, so that spaces and quotes are safe

# The runtime with which the page runs the networks in the browser.
ORT := onnxruntime-web-1.30.0
ORT_FILES := ort.wasm.min.mjs ort-wasm-simd-threaded.mjs ort-wasm-simd-threaded.wasm
ORT_ASYNC := ort-wasm-simd-threaded.asyncify
ORT_WEBGPU_FILES := ort.webgpu.min.mjs $(ORT_ASYNC).mjs $(ORT_ASYNC).wasm

.PHONY: run serve page page-webgpu test lint check docs dist matrix instructions train train-research train-face clean

run: .venv/runtime-installed
	@$(BIN)/python -m edge.run --json - $(if $(IMAGE),-- "$$IMAGE",-o astronaut.keypoints.jpg $(SAMPLE))

serve: .venv/serve-installed
	@$(BIN)/python -m edge.serve

page: edge/serve/page/ort/fetched

page-webgpu: edge/serve/page/ort/fetched-webgpu

edge/serve/page/ort/fetched: FILES := $(ORT_FILES)
edge/serve/page/ort/fetched: edge/serve/page/ort.sha256
	@rm -rf $(@D) && mkdir -p $(@D)
	$(FETCH_ORT)

edge/serve/page/ort/fetched-webgpu: FILES := $(ORT_WEBGPU_FILES)
edge/serve/page/ort/fetched-webgpu: edge/serve/page/ort/fetched
	$(FETCH_ORT)

define FETCH_ORT
	@echo "fetching $(ORT) from npm" >&2
	@cd $(@D) && npm pack --silent $(ORT:onnxruntime-web-%=onnxruntime-web@%) >/dev/null
	@cd $(@D) && tar -xzf $(ORT).tgz --strip-components=2 $(FILES:%=package/dist/%)
	@cd $(@D) && rm $(ORT).tgz && sha256sum --check --quiet --ignore-missing ../ort.sha256
	@touch $@
endef

# A process for each core; the tests of a file share what they prepare.
test: .venv/dev-installed
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: .venv/dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: test lint

# The documentation as a site without external parts: open build/site/index.html. A link that leads
# nowhere is an error.
docs: .venv/docs-installed
	PATH="$(CURDIR)/$(BIN):$$PATH" NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

# The source archive, and the wheel built from it; the same bytes from the same commit.
dist: .venv/release-installed
	rm -rf dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build --quiet
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl

# The wheel's tests on the lowest and newest Python, numpy, onnxruntime and Pillow.
matrix: .venv/runtime-installed
	$(BIN)/python -m benchmarks.matrix -o benchmarks/results/matrix.json

# Whether a face takes more instructions on emulated Raspberry Pis than it did; as root, on Debian.
instructions: .venv/runtime-installed
	$(BIN)/python -m benchmarks.pi --compare benchmarks/results/pi.json

# The embedded keypoint networks in both sizes, from the folder of their data sets (docs/training.md);
# an interrupted run is resumed. MINUTES limits the time of each. The face score is trained last, on
# the embedded detector's proposals.
train: .venv/dev-installed
	@test -d "$$DATA" || { echo "usage: make train DATA=FOLDER" >&2; exit 2; }
	$(BIN)/python -m train.prepare --recipe keypoints -o runs/labelled.npz -- "$$DATA"
	$(BIN)/python -m train.prepare --recipe face -o runs/photos.npz -- "$$DATA"
	for recipe in keypoints keypoints-small; do \
		$(BIN)/python -m train.run --recipe $$recipe --data runs/labelled.npz \
			$(LIMIT) -o runs/$$recipe --resume \
		&& $(BIN)/python -m export.run runs/$$recipe -o runs/unscored \
		&& $(BIN)/python -m train.score runs/$$recipe --data runs/labelled.npz \
			--photos runs/photos.npz --detector edge/models/face.onnx \
			--model runs/unscored/$$recipe.onnx -o runs/$$recipe-scored \
		&& $(BIN)/python -m export.run runs/$$recipe-scored -o runs/models --license $(PERMISSIVE) \
		|| exit; \
	done

# The network for Kaggle's task, on sets for research only; it stays outside the wheel.
train-research: .venv/dev-installed
	@test -d "$$DATA" || { echo "usage: make train-research DATA=FOLDER" >&2; exit 2; }
	$(BIN)/python -m train.prepare --recipe research -o runs/faces.npz \
		--apart-from "$$DATA/kaggle/test_annotated.csv" "$$DATA/kaggle/test.zip" -- "$$DATA"
	$(BIN)/python -m train.run --recipe research --data runs/faces.npz \
		--negatives "$$DATA/negatives" $(LIMIT) -o runs/research --resume
	$(BIN)/python -m export.run runs/research -o runs/models/research
	$(BIN)/python -m train.prepare --recipe face -o runs/photos.npz -- "$$DATA"
	$(BIN)/python -m train.score runs/research --data runs/faces.npz --photos runs/photos.npz \
		--negatives "$$DATA/negatives" --detector edge/models/face.onnx \
		--model runs/models/research/keypoints.onnx -o runs/scored
	$(BIN)/python -m export.run runs/scored -o runs/models/research

# The embedded face detector, likewise; this needs PyTorch in .venv.
train-face: .venv/dev-installed
	@test -d "$$DATA" || { echo "usage: make train-face DATA=FOLDER" >&2; exit 2; }
	$(BIN)/python -m train.prepare --recipe face -o runs/photos.npz -- "$$DATA"
	$(BIN)/python -m train.run --recipe face --data runs/photos.npz $(LIMIT) -o runs/face --resume
	$(BIN)/python -m export.run runs/face --faces runs/photos.npz -o runs/models \
		--license $(PERMISSIVE)

clean:
	rm -rf .venv build dist edge/serve/page/ort .pytest_cache .mypy_cache .ruff_cache

.venv/bin/python:
	@echo "creating .venv" >&2
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer is needed, found %d.%d; use: make PYTHON=..." % sys.version_info[:2] if sys.version_info < (3, 10) else 0)'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/runtime-installed: pyproject.toml | .venv/bin/python
	@echo "installing the runtime into .venv" >&2
	@$(INSTALL) .
	@touch $@

.venv/serve-installed: pyproject.toml | .venv/bin/python
	@echo "installing the server into .venv" >&2
	@$(INSTALL) '.[serve,video]'
	@touch .venv/runtime-installed $@

.venv/docs-installed: pyproject.toml | .venv/bin/python
	@$(INSTALL) '.[docs]'
	@touch .venv/runtime-installed $@

.venv/release-installed: pyproject.toml | .venv/bin/python
	@$(INSTALL) '.[release]'
	@touch .venv/runtime-installed $@

.venv/dev-installed: pyproject.toml | .venv/bin/python
	@echo "installing everything the tests need into .venv; this takes a few minutes" >&2
	@$(INSTALL) '.[dev]'
	@touch .venv/runtime-installed .venv/serve-installed $@
