"""Refusals: named, coded, final or not."""

from kernel import refusals
from kernel.refusals import FieldError, Invalid, NotFound, NotYetKnown, Refusal


def test_every_refusal_has_its_own_code_and_speaks_both_languages() -> None:
    family: list[type[Refusal]] = [Refusal, *Refusal.__subclasses__()]
    own = [kind for kind in family if kind.__module__ == refusals.__name__]
    assert len({kind.code for kind in own}) == len(own) == 6
    assert all(kind.pt and kind.en and 400 <= kind.status < 600 for kind in own)


def test_a_refusal_that_will_pass_is_not_final() -> None:
    assert NotFound.final
    refusal = NotYetKnown()
    assert not refusal.final
    assert refusal.retry_after_s == 1


def test_a_refusal_reads_as_its_detail_or_its_english_sentence() -> None:
    assert str(NotFound()) == NotFound.en
    assert str(NotFound("no such ride")) == "no such ride"
    assert NotFound("no such ride").detail == "no such ride"


def test_a_refusal_keeps_the_offending_fields() -> None:
    error = FieldError(pointer="/cpf", code="invalid_cpf", detail="CPF inválido.")
    assert Invalid(errors=[error]).errors == (error,)
    assert Invalid().errors == ()
