from pathlib import Path

import pytest
import torch

from seqforge import precision
from seqforge.precision import full_precision, training_precision


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx2 avx512f", "32-true"),
        ("fpu avx512_bf16", "bf16-mixed"),
        ("fpu amx_bf16 amx_tile", "bf16-mixed"),
        ("asimd bf16", "bf16-mixed"),
        ("asimd notbf16", "32-true"),
    ],
)
def test_the_processor_says_what_it_has(
    flags: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "_processor_flags", lambda: frozenset(flags.split()))

    assert training_precision("cpu") == expected


def test_the_flags_are_read_from_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "processor : 0\nmodel name : x\nflags\t\t: fpu avx512_bf16 sse\n\nprocessor : 1\n"
    monkeypatch.setattr(Path, "exists", lambda self: True)
    monkeypatch.setattr(Path, "read_text", lambda self, **options: text)
    assert training_precision("cpu") == "bf16-mixed"

    monkeypatch.setattr(Path, "exists", lambda self: False)
    assert training_precision("cpu") == "32-true"


@pytest.mark.parametrize("native", [True, False])
def test_emulated_bfloat16_on_a_gpu_does_not_count(
    native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def supported(including_emulation: bool = True) -> bool:
        return native or including_emulation

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)

    assert training_precision("auto") == ("bf16-mixed" if native else "32-true")


def test_other_accelerators_train_in_full_precision() -> None:
    assert training_precision("mps") == "32-true"


def test_full_precision_switches_autocast_off() -> None:
    x = torch.ones(2, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (x @ x).dtype == torch.bfloat16
        with full_precision(x.device):
            assert (x @ x).dtype == torch.float32
