import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.errors import ArtifactError
from apple_clf.exporting.header import header_content, header_text

NAMES = ("äpfel", 'not "apple"??/', "back\\slash\n9")
PROGRAM = """\
#include <stdint.h>
#include <stdio.h>
#include "model.h"
int main(void) {
  if ((uintptr_t)apple_clf_model % 16) return 1;
  for (int i = 0; i < APPLE_CLF_N_CLASSES; i++) {
    fputs(apple_clf_class_names[i], stdout);
    putchar(0);
  }
  fwrite(apple_clf_model, 1, APPLE_CLF_MODEL_LENGTH, stdout);
  return !(APPLE_CLF_THRESHOLD < 0 && APPLE_CLF_PROBABILITY_SCALE == 0.00390625f &&
           APPLE_CLF_HEIGHT == 12 && APPLE_CLF_WIDTH == 9 && APPLE_CLF_CHANNELS == 1);
}
"""


def make_header(content: bytes, *, threshold: float | None = None) -> str:
    return header_text(
        content,
        title="tiny */ run",
        shape=(12, 9, 1),
        class_names=NAMES,
        positive=0,
        threshold=threshold,
        preprocessing="resize center",
        quantization=(1 / 256, 0),
    )


@pytest.mark.parametrize(
    ("compiler", "source", "standard"),
    [("gcc", "a.c", "c11"), ("g++", "a.cc", "c++11")],
    ids=["C", "C++"],
)
def test_compiled_header_holds_the_same_bytes_and_names(
    tmp_path: Path, compiler: str, source: str, standard: str
) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} here")
    content = bytes(range(256)) * 3 + b"\x07"
    (tmp_path / "model.h").write_text(make_header(content), encoding="utf-8")
    (tmp_path / source).write_text(PROGRAM)
    options = [f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", "a.out"]
    subprocess.run([compiler, *options, source], cwd=tmp_path, check=True)
    printed = subprocess.run([tmp_path / "a.out"], capture_output=True, check=True).stdout
    assert printed == b"".join(name.encode() + b"\0" for name in NAMES) + content


@given(st.binary(min_size=1, max_size=100))
def test_content_comes_back_from_the_text(content: bytes) -> None:
    assert header_content(make_header(content, threshold=0.5)) == content


def test_threshold_is_written_as_a_float() -> None:
    assert "THRESHOLD 0.500000000f\n" in make_header(b"a", threshold=0.5)


def test_text_without_a_model_is_refused() -> None:
    with pytest.raises(ArtifactError, match="no model"):
        header_content("int main(void);")
