"""Checkpoints: kept in few bytes, read back exactly, and how they answer."""

import gc
import io
import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tuneform_emulator.trainer import Checkpoint, CheckpointError, Example, Settings, Training

DATA = tuple(
    Example(f"{verb} {noun}", noun)
    for noun in ("order", "refund", "account", "parcel", "invoice", "password")
    for verb in ("about my", "lost the", "question on an", "need help with the")
)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    training = Training(Settings(30, 8), DATA)
    return [training.run_epoch() for _ in range(30)][-1].checkpoint


@pytest.fixture(scope="module")
def unsure() -> Checkpoint:
    return Training(Settings(1, 8), DATA).run_epoch().checkpoint


def test_bytes_are_read_back_to_the_same_answers(checkpoint: Checkpoint) -> None:
    data = checkpoint.to_bytes()
    again = Checkpoint.from_bytes(data)
    assert again.to_bytes() == data
    assert again.rank == 8
    for prompt in ("my parcel", "", "x"):
        assert again.answer(prompt) == checkpoint.answer(prompt)


class Junk:
    """Garbage whose end lets another thread run, wherever it is collected."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        time.sleep(0)


def test_many_threads_read_at_once(checkpoint: Checkpoint) -> None:
    data = checkpoint.to_bytes()

    def read(_: int) -> int:
        Junk()
        return Checkpoint.from_bytes(data).rank

    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(20)
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(read, range(400))) == {8}
    finally:
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(interval)


def test_a_checkpoint_is_small(checkpoint: Checkpoint) -> None:
    assert len(checkpoint.to_bytes()) < 100_000


def test_outputs_of_any_script_survive() -> None:
    data = (Example("a", "größe 🍎\n二"), Example("b", "\ud800"))
    trained = Training(Settings(1, 1), data).run_epoch().checkpoint
    assert set(Checkpoint.from_bytes(trained.to_bytes()).outputs) == {example.output for example in data}


@pytest.mark.parametrize("data", [b"", b"junk", b"PK\x03\x04 cut short", b"\x93NUMPY junk"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(CheckpointError):
        Checkpoint.from_bytes(data)


def test_a_cut_or_damaged_checkpoint_is_refused(checkpoint: Checkpoint) -> None:
    data = checkpoint.to_bytes()
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 0xFF
    for bad in (data[: len(data) // 2], bytes(damaged)):
        with pytest.raises(CheckpointError):
            Checkpoint.from_bytes(bad)


def test_a_pickle_is_never_loaded() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array([{}], dtype=object))
    with pytest.raises(CheckpointError):
        Checkpoint.from_bytes(buffer.getvalue())


def test_the_likeliest_output_is_answered_with_its_log_probability(checkpoint: Checkpoint) -> None:
    answer = checkpoint.answer("where did my parcel go")
    assert answer.text == "parcel"
    assert answer.candidates[0].text == "parcel"
    assert answer.log_probability == answer.candidates[0].log_probability
    values = [candidate.log_probability for candidate in answer.candidates]
    assert values == sorted(values, reverse=True)
    assert len(values) == 5
    everything = checkpoint.log_probabilities(["where did my parcel go"])
    assert np.exp(everything).sum() == pytest.approx(1)


@pytest.mark.parametrize("prompt", ["", " ", "ζζζ 7!", "\ud800", "word " * 50_000])
def test_any_prompt_is_answered(checkpoint: Checkpoint, prompt: str) -> None:
    answer = checkpoint.answer(prompt)
    assert answer.text in checkpoint.outputs
    assert math.isfinite(answer.log_probability)


def test_temperature_draws_by_seed_and_repeats(unsure: Checkpoint) -> None:
    drawn = [unsure.answer("my parcel", temperature=1.0, seed=seed) for seed in range(60)]
    assert len({answer.text for answer in drawn}) > 2
    assert drawn == [unsure.answer("my parcel", temperature=1.0, seed=seed) for seed in range(60)]
    scores = dict(zip(unsure.outputs, unsure.log_probabilities(["my parcel"])[0], strict=True))
    for answer in drawn:
        assert answer.log_probability == pytest.approx(float(scores[answer.text]))


def test_draws_follow_the_probabilities(unsure: Checkpoint) -> None:
    texts = [unsure.answer("my parcel", temperature=1.0, seed=seed).text for seed in range(400)]
    expected = np.exp(unsure.log_probabilities(["my parcel"])[0])
    for output, share in zip(unsure.outputs, expected, strict=True):
        assert texts.count(output) / 400 == pytest.approx(float(share), abs=0.1)


def test_a_lower_temperature_is_surer(unsure: Checkpoint) -> None:
    best = unsure.answer("my parcel").text
    hits = [
        sum(unsure.answer("my parcel", temperature=heat, seed=seed).text == best for seed in range(60))
        for heat in (0.05, 5.0)
    ]
    assert hits[0] > hits[1] + 20


def test_top_k_and_top_p_narrow_the_choice(unsure: Checkpoint) -> None:
    best = [candidate.text for candidate in unsure.answer("my parcel").candidates]
    hot = [unsure.answer("my parcel", temperature=9.0, top_k=2, seed=seed).text for seed in range(40)]
    assert set(hot) == set(best[:2])
    for narrow in ({"top_k": 1}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 0.01}):
        texts = {unsure.answer("my parcel", temperature=9.0, seed=seed, **narrow).text for seed in range(40)}
        assert texts == {best[0]}
    wide = {unsure.answer("my parcel", temperature=9.0, top_p=1.0, seed=seed).text for seed in range(80)}
    assert wide == set(unsure.outputs)
