"""The comparison of the rehearsal itself: what counts as a difference, and what does not."""

from email.message import EmailMessage

from tests.upgrade.words import differences, words_in, words_of_message, words_of_page

PAGE = '<h1>Order G-1001</h1><p>It is <b>paid</b>.</p><input type="hidden" value="abc"><script>x</script>'


def words(html: str) -> list[str]:
    return words_of_page(html)[0]


def test_a_word_that_changed_is_named_with_what_stands_around_it() -> None:
    (found,) = differences(words(PAGE), words(PAGE.replace("paid", "settled")))
    assert found == ("… Order G - 1001 It is [-paid-] {+settled+} . …", "[-paid-] {+settled+}")


def test_a_word_that_is_gone_and_one_that_came_are_named() -> None:
    old, new = words("<p>One two three four five</p>"), words("<p>two three four five six</p>")
    assert [change for _, change in differences(old, new)] == ["[-One-] {++}", "[--] {+six+}"]


def test_changes_a_few_words_apart_are_one() -> None:
    (found,) = differences(words("<p>back on it again, on hold</p>"), words("<p>back, and put on hold</p>"))
    assert found[1] == "[-on it again ,-] {+, and put+}"


def test_tags_spaces_scripts_and_hidden_tokens_are_no_words() -> None:
    other = '<h1>Order  G-1001</h1>\n<p>It <i>is</i> paid.</p><input type="hidden" value="xyz"><script>y</script>'
    assert list(differences(words(PAGE), words(other))) == []


def test_what_stands_in_a_field_and_what_is_read_aloud_are_words() -> None:
    assert words('<input name="reason" value="lost" placeholder="Why"><img alt="a stone">') == [
        "Why",
        "lost",
        "a",
        "stone",
    ]


def test_links_are_found_apart_from_words() -> None:
    assert words_of_page('<a href="/office/">Today</a>') == (["Today"], ["/office/"])


def test_a_message_is_read_with_subject_and_both_bodies() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "gifts@localhost", "ana@example.com", "A gift"
    message.set_content("Plain words")
    message.add_alternative("<p>Marked words</p>", subtype="html")
    read = words_of_message(message.as_bytes())
    assert read == words_in("gifts@localhost ana@example.com A gift Plain words Marked words")
