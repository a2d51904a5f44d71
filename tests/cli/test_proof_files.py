"""A proof is checked from its file alone: no database, no network, and an exit code."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from build.records import a_carried, a_member, a_payout, money
from ml_connector.basics.ids import PostingKey, erp_ref
from ml_connector.books.certificate import FORMAT, Certificate, Document, Entry
from ml_connector.books.postings import State
from ml_connector.books.proof import prove
from ml_connector.books.sealed import key_id, sealed
from ml_connector.cli.frame import Exit
from ml_connector.cli.proof_page import page_of
from ml_connector.cli.proofs import verify
from ml_connector.flows.review.proofs import checked, signed
from ml_connector.vault.signing import SigningKey

AT = datetime(2026, 10, 9, 6, 0, tzinfo=UTC)
KEY = SigningKey.generate()


def a_document(key: str, effect: str) -> Document:
    sides = (Entry("10650", money(effect), clearing=True),
             Entry("<b>61100</b>", -money(effect), clearing=False))  # fmt: skip
    return Document(PostingKey(key), erp_ref("GL", "000045"), State.VERIFIED, money(effect),
                    "ab" * 32, AT, 1, sides, money("0.00 USD"), money("0.00 USD"))  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    member = a_member("12.00 USD")
    out = a_member("-12.00 USD", id="txn_po", pair="payout/payout",
                   carried=(a_carried("-12.00 USD", key="payout:po_1"),))  # fmt: skip
    papers = (a_document("payment:ch_1", "12.00 USD"), a_document("payout:po_1", "-12.00 USD"))
    proof = prove(a_payout(), [member], out)
    paper = Certificate("main", proof, date(2026, 10, 9), AT, papers)
    place = tmp_path / "po_1.json"
    place.write_text(signed(paper, KEY), "utf-8")
    return place


def test_a_file_as_it_was_written_is_sound_with_its_own_key(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(file, key=KEY.public, json=True) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["sound"], told["verdict"], told["complaints"]) == (True, "proven", [])
    key_file = file.with_name("key")
    key_file.write_text(KEY.public + "\n")
    assert verify(file, key=str(key_file)) == Exit.OK


def test_another_key_or_a_changed_cent_asks_for_attention_and_names_the_line(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(file, key=SigningKey.generate().public) == Exit.ATTENTION
    text = file.read_text("utf-8")
    file.write_text(text.replace('"net": "12.00 USD"', '"net": "12.01 USD"'), "utf-8")
    capsys.readouterr()
    assert verify(file, json=True) == Exit.ATTENTION
    lines = {one["line"] for one in json.loads(capsys.readouterr().out)["complaints"]}
    assert 2 in lines


def test_a_proof_signed_anew_by_a_stranger_passes_only_where_no_key_is_named(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = SigningKey.generate()
    facts = [one["says"] for one in json.loads(file.read_text("utf-8"))["lines"]]
    name = json.loads(file.read_text("utf-8"))["paper"]
    file.write_text(sealed(FORMAT, name, stranger.public, facts, stranger.sign), "utf-8")
    assert verify(file) == Exit.OK
    told = capsys.readouterr().out
    assert "not pinned" in told
    assert key_id(stranger.public) in told
    for pin in (KEY.public, key_id(KEY.public)):
        assert verify(file, key=pin) == Exit.ATTENTION
        assert f"a key that you did not name: {key_id(stranger.public)}" in capsys.readouterr().err


def test_after_a_rotation_the_file_of_all_keys_lets_old_and_new_proofs_pass(file: Path) -> None:
    keys = file.with_name("keys.txt")
    new = SigningKey.generate()
    keys.write_text(f"in force {key_id(new.public)}\n  {new.public}\nuntil May\n  {KEY.public}\n")
    assert verify(file, key=str(keys)) == Exit.OK
    assert verify(file, key=key_id(KEY.public)) == Exit.OK
    assert verify(file, key=key_id(new.public)) == Exit.ATTENTION


def test_a_paper_that_gives_its_key_another_ones_id_is_found_out(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = file.read_text("utf-8")
    assert key_id(KEY.public) in text
    file.write_text(text.replace(key_id(KEY.public), "ab" * 12), "utf-8")
    assert verify(file) == Exit.ATTENTION
    assert "calls its key abab" in capsys.readouterr().err


def test_a_paper_from_before_keys_had_ids_is_still_good(file: Path) -> None:
    text = file.read_text("utf-8")
    file.write_text(text.replace(f'"key_id": "{key_id(KEY.public)}", ', ""), "utf-8")
    assert "key_id" not in file.read_text("utf-8")
    assert verify(file, key=KEY.public) == Exit.OK


def test_a_file_that_is_no_proof_and_a_key_that_is_none_are_misconfigured(file: Path) -> None:
    assert verify(file, key="abc") == Exit.MISCONFIGURED
    assert verify(file.with_name("nowhere.json")) == Exit.MISCONFIGURED
    file.write_text("{}", "utf-8")
    assert verify(file) == Exit.MISCONFIGURED


def test_the_page_runs_nothing_fetches_nothing_and_quotes_what_it_shows(file: Path) -> None:
    page = page_of(checked(file.read_text("utf-8")))
    assert "12.00 USD" in page
    assert "&lt;b&gt;61100&lt;/b&gt;" in page
    assert key_id(KEY.public) in page
    assert "ab" * 32 in page  # the hash of each document as it was read back
    for words in ("Arrives 2026-10-09", "The equation", "Sums per account", "GL 000045"):
        assert words in page
    assert "@page { size: A4" in page
    assert not any(word in page for word in ("<script", "http:", "https:", "<link", "<b>61100"))


def test_a_page_of_a_changed_proof_says_what_does_not_fit(file: Path) -> None:
    text = file.read_text("utf-8").replace('"net": "12.00 USD"', '"net": "12.01 USD"')
    page = page_of(checked(text))
    assert "Line 2 was changed" in page
    assert "Not to be relied on." in page
    assert "was checked when this page was made" not in page
