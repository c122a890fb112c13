"""How a tuned model is asked."""

from __future__ import annotations

from tuneform.platforms.vertex.serving import question


def test_a_tuned_model_is_asked_without_chance_and_without_thinking() -> None:
    asked = question("endpoints/1", {"contents": [{"role": "user", "parts": [{"text": "why?"}]}]})

    assert asked["generationConfig"] == {"temperature": 0, "thinkingConfig": {"thinkingBudget": 0}}
    assert "systemInstruction" not in asked


def test_a_system_instruction_of_the_examples_is_sent_with_the_question() -> None:
    instruction = {"role": "system", "parts": [{"text": "Be brief."}]}

    asked = question("endpoints/1", {"contents": [], "systemInstruction": instruction})

    assert asked["systemInstruction"] == instruction
