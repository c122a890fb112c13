"""The run: it repeats exactly, it learns, and every hyperparameter has its effect."""

import math
import random
from itertools import pairwise

import pytest

from tuneform_emulator.trainer import (
    Checkpoint,
    Epoch,
    Example,
    Settings,
    Training,
    batch_size_for,
    checkpoint_epochs,
    default_epochs,
)
from tuneform_emulator.trainer import features as features_module
from tuneform_emulator.trainer import training as training_module

ANIMALS = ("cat", "dog", "hen", "owl", "fox", "cow", "bee", "ant")
WISHES = ("feed the {} now", "the {} is hungry", "wash that {}", "is my {} ill?", "where does a {} sleep")
DATA = tuple(Example(wish.format(animal), f"about_{animal}") for animal in ANIMALS for wish in WISHES)
HELD_OUT = tuple(Example(f"please look after this {animal} today", f"about_{animal}") for animal in ANIMALS)


def run(settings: Settings, train: tuple[Example, ...] = DATA, **others: object) -> list[Epoch]:
    training = Training(settings, train, **others)  # type: ignore[arg-type] # passed through as given
    return [training.run_epoch() for _ in range(settings.epochs)]


def mean_loss(epoch: Epoch) -> float:
    return sum(step.loss for step in epoch.train) / len(epoch.train)


def exact_matches(checkpoint: Checkpoint, examples: tuple[Example, ...]) -> float:
    return sum(checkpoint.answer(example.prompt).text == example.output for example in examples) / len(
        examples
    )


def test_the_same_run_gives_the_same_bytes_and_numbers() -> None:
    first, second = (run(Settings(3, 4), validation=HELD_OUT) for _ in range(2))
    assert [epoch.train for epoch in first] == [epoch.train for epoch in second]
    assert [epoch.evaluation for epoch in first] == [epoch.evaluation for epoch in second]
    assert first[-1].checkpoint.to_bytes() == second[-1].checkpoint.to_bytes()


def test_the_order_of_the_rows_does_not_matter() -> None:
    mixed = list(DATA)
    random.Random(4).shuffle(mixed)
    assert mixed != list(DATA)
    assert run(Settings(2, 4), tuple(mixed))[-1].train == run(Settings(2, 4))[-1].train


def test_the_seed_matters() -> None:
    assert run(Settings(1, 4, seed=1))[0].train != run(Settings(1, 4, seed=2))[0].train


def test_a_small_set_is_learnt_and_the_loss_falls_all_the_way() -> None:
    epochs = run(Settings(default_epochs(len(DATA)), 8), validation=HELD_OUT)
    curve = [mean_loss(epoch) for epoch in epochs]
    assert curve[0] > 1.5
    assert curve[-1] < 0.05
    assert all(later < earlier * 1.1 for earlier, later in pairwise(curve))
    assert exact_matches(epochs[-1].checkpoint, DATA) == 1
    assert exact_matches(epochs[-1].checkpoint, HELD_OUT) == 1


def test_the_first_loss_is_that_of_a_blind_guess() -> None:
    assert run(Settings(1, 4))[0].train[0].loss == pytest.approx(math.log(len(ANIMALS)))


def test_single_examples_of_many_outputs_are_learnt() -> None:
    data = tuple(Example(str(number), str(number + 1)) for number in range(-100, 100))
    assert exact_matches(run(Settings(default_epochs(len(data)), 8), data)[-1].checkpoint, data) > 0.95


def test_a_higher_rank_fits_better() -> None:
    losses = [mean_loss(run(Settings(10, rank))[-1]) for rank in (1, 2, 4)]
    assert losses[0] > losses[1] * 1.2
    assert losses[1] > losses[2] * 1.2


def test_a_lower_learning_rate_learns_slower() -> None:
    slow, normal = (run(Settings(20, 4, rate))[-1] for rate in (0.1, 1.0))
    assert mean_loss(slow) > mean_loss(normal) * 1.5


def test_an_absurd_learning_rate_diverges() -> None:
    wild = run(Settings(8, 4, 1000.0))
    blind = math.log(len(ANIMALS))
    assert mean_loss(wild[0]) > 3 * blind
    assert mean_loss(wild[1]) > blind


@pytest.mark.parametrize("multiplier", [1e-30, 1e6, 1e300])
def test_an_absurd_learning_rate_stays_finite(multiplier: float) -> None:
    epochs = run(Settings(3, 4, multiplier), validation=HELD_OUT)
    assert all(math.isfinite(step.loss) for epoch in epochs for step in epoch.train)
    assert epochs[-1].checkpoint.answer("feed the cat now").text in {example.output for example in DATA}


def test_the_batch_size_sets_the_steps() -> None:
    epochs = run(Settings(2, 1, batch_size=16))
    assert [[step.step for step in epoch.train] for epoch in epochs] == [[1, 2, 3], [4, 5, 6]]
    assert [epoch.step for epoch in epochs] == [3, 6]
    assert [epoch.number for epoch in epochs] == [1, 2]


def test_accuracy_counts_tokens_in_their_place() -> None:
    data = (Example("alpha", "left turn"), Example("beta", "right turn"))
    first = Training(Settings(1, 1, batch_size=2), data).run_epoch().train[0]
    # Before the first step the first output is guessed for both: one of two, then "turn" alone of two tokens.
    assert (first.accuracy, first.predictions) == (0.75, 4)


def test_outputs_never_trained_on_count_as_wrong_at_a_bounded_loss() -> None:
    strange = (Example("feed the cat now", "never heard of"),)
    evaluation = run(Settings(5, 4), validation=strange)[-1].evaluation
    assert evaluation is not None
    assert evaluation.accuracy == 0
    assert evaluation.predictions == 3
    assert evaluation.loss == pytest.approx(math.log(len(ANIMALS) + 1))


def test_without_validation_data_nothing_is_evaluated() -> None:
    assert run(Settings(1, 1))[0].evaluation is None


def test_rare_outputs_beyond_the_bound_stay_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_module, "MAX_OUTPUTS", 2)
    data = (*[Example(f"common {n}", "a") for n in range(3)], *[Example(f"some {n}", "b") for n in range(2)])
    epoch = run(Settings(2, 1), (*data, Example("rare", "c")))[-1]
    assert epoch.checkpoint.outputs == ("a", "b")


def test_a_set_too_large_to_keep_encoded_trains_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = run(Settings(2, 2))[-1].train
    monkeypatch.setattr(features_module, "_CACHED_CHARACTERS", 0)
    assert run(Settings(2, 2))[-1].train == expected


def test_training_goes_on_from_a_checkpoint() -> None:
    start = run(Settings(20, 4))[-1].checkpoint
    more = (*DATA, Example("sing to the whale", "about_whale"), Example("a whale is ill", "about_whale"))
    first = run(Settings(1, 8), more, start=start)[0]
    assert first.train[0].loss < math.log(len(ANIMALS)) / 2
    assert first.checkpoint.outputs == (*start.outputs, "about_whale")
    assert first.checkpoint.rank == 8
    later = run(Settings(20, 8), more, start=start)[-1].checkpoint
    assert later.answer("the whale is hungry").text == "about_whale"


def test_an_adapter_that_shrinks_keeps_what_is_strongest() -> None:
    start = run(Settings(20, 16))[-1].checkpoint
    barely = Training(Settings(1, 8, learning_rate_multiplier=1e-9), DATA, start=start).run_epoch().checkpoint
    assert barely.rank == 8
    asked = [example.prompt for example in DATA]
    agreed = sum(barely.answer(prompt).text == start.answer(prompt).text for prompt in asked)
    assert agreed > 0.8 * len(asked)


def test_one_example_is_enough_and_none_is_not() -> None:
    assert run(Settings(2, 1), (Example("hi", "hello"),))[-1].checkpoint.answer("").text == "hello"
    with pytest.raises(ValueError, match="at least one example"):
        Training(Settings(1, 1), ())


def test_no_epoch_runs_beyond_the_last() -> None:
    training = Training(Settings(1, 1), DATA)
    training.run_epoch()
    with pytest.raises(RuntimeError, match="all 1 epochs have run"):
        training.run_epoch()


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"epochs": 0, "rank": 1}, "epochs"),
        ({"epochs": 1, "rank": 0}, "between 1 and 32"),
        ({"epochs": 1, "rank": 33}, "between 1 and 32"),
        ({"epochs": 1, "rank": 1, "learning_rate_multiplier": 0.0}, "above 0"),
        ({"epochs": 1, "rank": 1, "learning_rate_multiplier": math.nan}, "above 0"),
        ({"epochs": 1, "rank": 1, "batch_size": -1}, "batch size"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Settings(**settings)  # type: ignore[arg-type] # the table mixes int and float


def test_defaults_follow_the_size_of_the_data() -> None:
    assert [default_epochs(size) for size in (0, 20, 166, 300, 1000, 10_003)] == [40, 40, 40, 22, 7, 5]
    assert [batch_size_for(size) for size in (0, 300, 4096, 10_003, 1_000_000)] == [4, 4, 16, 32, 64]


def test_about_ten_checkpoints_are_kept_the_last_always() -> None:
    assert checkpoint_epochs(1) == (1,)
    assert checkpoint_epochs(10) == tuple(range(1, 11))
    for epochs in (11, 23, 40, 100):
        kept = checkpoint_epochs(epochs)
        assert len(set(kept)) == 10
        assert kept[-1] == epochs
        assert sorted(kept) == list(kept)
        assert max(later - earlier for earlier, later in pairwise((0, *kept))) <= epochs / 10 + 1
