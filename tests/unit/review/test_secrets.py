"""What is taken for a secret in the text of an example, and what is not."""

from __future__ import annotations

import pytest

from tuneform.review.secrets import Detector

DETECTOR = Detector()
# Put together from pieces, so that nobody's scanner takes this file for a leak.
SECRETS = {
    "AWS Access Key": "my key is " + "AKIA" + "IOSFODNN7EXAMPLE and it stopped working",
    "GitHub Token": "the token ghp_" + "0123456789abcdefghijABCDEFGHIJ012345 is refused",
    "Private Key": "here it is\n-----BEGIN RSA PRIVATE" + " KEY-----\nMIIE",
    "Secret Keyword": "My password: " + "Tr0ub4dor&3",
    "Basic Auth Credentials": "it says https://user:" + "hunter2@example.com/x",
    "Base64 High Entropy String": "reset code " + "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_secrets_are_suspected_also_without_quotes(kind: str) -> None:
    assert DETECTOR.suspected(SECRETS[kind]) == kind


@pytest.mark.parametrize(
    "text",
    [
        "Where is my parcel?",
        "I forgot my password",
        "my password is wrong: help",
        "Transfer 250 EUR to IBAN DE89 3704 0044 0532 0130 00",
        "",
    ],
)
def test_what_people_say_is_not(text: str) -> None:
    assert DETECTOR.suspected(text) == ""
