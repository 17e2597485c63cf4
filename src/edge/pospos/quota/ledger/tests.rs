//! What is believed of each ledger: whole, torn, cut, of another boot, of another version.

use super::super::QuotaLimit;
use super::*;

const SECOND: i64 = 1_000_000_000;

fn at(seconds: i64) -> Monotonic {
    Monotonic::from_nanos(seconds * SECOND)
}

/// Seconds and counts of the ended calls that are believed at 100 s in boot `b`.
fn check(text: &str, want: &[(i64, u32)], state: LedgerState) -> Places {
    let (text, mark) = sealed(text);
    let (places, found) = recover(Some(text.as_bytes()), mark, "b", at(100));
    let ended: Vec<_> = places.ended.iter().map(|(end, &count)| (end.nanos() / SECOND, count)).collect();
    assert_eq!((ended.as_slice(), found), (want, state), "{text}");
    assert!(places.open.is_empty(), "nothing is under way in a process that just started");
    places
}

/// As it stands on the disk, with a mark of the last whole line. A last line that is not whole was torn.
fn sealed(text: &str) -> (String, Mark) {
    let (lines, torn) = text.rsplit_once('\n').unwrap_or(("", text));
    let (text, seal) = Seal::default().close(lines);
    (text + torn, Mark::Says(seal))
}

fn file(boot: &str, lines: &str) -> String {
    let lines = lines.replace("s ", "000000000 ").replace("s\n", "000000000\n");
    format!("posbell-quota 2\nafter {:016x}\nboot {boot}\nwritten 50000000000\nsince 10000000000\n--\n{lines}", 7)
}

#[test]
fn the_same_boot_is_believed_as_it_stands() {
    let places = check(&file("b", "= 40s 3\n+ 0 60s\n- 0 61s\n"), &[(40, 3), (61, 1)], LedgerState::Continued);
    assert_eq!(places.since, at(10));
}

#[test]
fn what_was_under_way_ended_now_and_may_still_arrive() {
    check(&file("b", "+ 0 60s\n+ 1 61s\n- 0 62s\n"), &[(62, 1), (115, 1)], LedgerState::Continued);
    check(&file("b", "+ 0 60s\n? 0 61s\n"), &[(76, 1)], LedgerState::Continued);
}

#[test]
fn of_another_boot_the_last_stamp_is_taken_for_now() {
    let places = check(&file("a", "= 40s 3\n+ 0 60s\n- 0 61s\n"), &[(79, 3), (100, 1)], LedgerState::OtherBoot);
    assert_eq!(places.since, at(49));
    check(&file("a", "+ 0 60s\n"), &[(115, 1)], LedgerState::OtherBoot);
    check(&file("b", "+ 0 600s\n- 0 601s\n"), &[(100, 1)], LedgerState::OtherBoot);
    let unnamed = file("", "+ 0 60s\n- 0 61s\n");
    let (unnamed, mark) = sealed(&unnamed);
    assert_eq!(recover(Some(unnamed.as_bytes()), mark, "", at(100)).1, LedgerState::OtherBoot);
}

#[test]
fn a_torn_last_line_behind_the_mark_is_one_that_no_call_followed() {
    for torn in ["+ 1 ", "\0\0\0\0", "- 1 61000000000 #0000000"] {
        check(&(file("b", "+ 0 60s\n- 0 61s\n") + torn), &[(61, 1)], LedgerState::Continued);
    }
    check(&(file("b", "+ 0 60s\n") + "- 0 6"), &[(115, 1)], LedgerState::Continued);
}

#[test]
fn what_was_reserved_and_not_marked_yet_counts_all_the_same() {
    let (text, seal) = Seal::default().close(&file("b", "+ 0 60s\n- 0 61s\n"));
    let (more, last) = seal.close("+ 1 62000000000\n- 1 63000000000\n");
    let died = |text: &str, mark| {
        let (places, state) = recover(Some(text.as_bytes()), mark, "b", at(100));
        (places.ended.values().sum::<u32>(), state)
    };
    assert_eq!(died(&(text.clone() + &more), Mark::Says(seal)), (2, LedgerState::Continued));
    assert_eq!(died(&(text.clone() + &more), Mark::Says(last)), (2, LedgerState::Continued));
    assert_eq!(died(&text, Mark::Says(last)).1, LedgerState::Damaged);
    assert_eq!(died(&text, Mark::Missing).1, LedgerState::Damaged);
    assert_eq!(died(&text, Mark::Unreadable).1, LedgerState::Damaged);
    // Killed between the new file and its mark.
    let before = Mark::Says(Seal::read(&format!("{:016x}", 7)).unwrap());
    assert_eq!(died(&text, before), (1, LedgerState::Continued));
    let in_head = text.split_inclusive('\n').take(5).collect::<String>();
    assert_eq!(died(&in_head, before).1, LedgerState::Damaged);
    assert_eq!(recover(None, Mark::Says(last), "b", at(100)).1, LedgerState::Damaged);
}

#[test]
fn cut_at_any_byte_no_call_too_many_is_free() {
    let limits: [QuotaLimit; 2] = ["20/4s".parse().unwrap(), "100/1h".parse().unwrap()];
    // Twenty calls within the last seconds; the last line that must be there is the reservation of the last.
    let call = |nth: i64| format!("+ {nth} {0}\n- {nth} {0}\n", (97 * SECOND) + nth * SECOND / 10);
    let lines: String = (0..20).map(call).collect();
    let (text, _) = Seal::default().close(&file("b", &lines));
    let until = text.rfind("\n+").unwrap() + 1;
    let until = until + text[until..].find('\n').unwrap() + 1;
    let mut seal = Seal::default();
    for line in text[..until].split_inclusive('\n') {
        seal = seal.open(line).1.unwrap();
    }
    let (mut damaged, mut continued) = (0, 0);
    for cut in 0..=text.len() {
        let (places, state) = recover(Some(&text.as_bytes()[..cut]), Mark::Says(seal), "b", at(100));
        assert_eq!(state == LedgerState::Damaged, cut < until, "{cut}");
        let left = limits.map(|limit| places.left(at(100), &limit));
        assert!(left[0] == 0 && left[1] <= 50, "cut at byte {cut}: {left:?} are free");
        match state {
            LedgerState::Damaged => damaged += 1,
            _ => continued += 1,
        }
    }
    println!(
        "{} cuts: {damaged} are damage, after {continued} all calls are known, no call too many after any",
        text.len()
    );
}

#[test]
fn a_group_is_open_but_for_the_places_that_were_ended_or_given_back() {
    check(&file("b", "+ 4 60s 12\n"), &[(115, 12)], LedgerState::Continued);
    check(
        &file("b", "+ 4 60s 12\n- 4 61s\n- 15 62s\n? 9 61s\n"),
        &[(61, 1), (62, 1), (76, 1), (115, 9)],
        LedgerState::Continued,
    );
    check(&file("b", "+ 0 60s\n+ 1 60s 3\n- 1 61s\n~ 2 2\n"), &[(61, 1), (115, 1)], LedgerState::Continued);
    check(&file("a", "+ 4 60s 12\n"), &[(115, 12)], LedgerState::OtherBoot);
    check(&file("b", "+ 0 60s 18446744073709551615\n"), &[(115, u32::MAX)], LedgerState::Continued);
    for wrong in
        ["+ 4 60s 0\n", "+ 2 60s 9\n", "+ 9 60s 18446744073709551615\n", "~ 3 4\n", "- 6 61s\n", "+ 9 60s 1 1\n"]
    {
        let places =
            check(&file("b", &format!("+ 3 60s 3\n{wrong}- 4 61s\n")), &[(61, 1), (115, 2)], LedgerState::Damaged);
        assert_eq!(places.lost, Some(at(115)), "{wrong}");
    }
}

#[test]
fn spare_places_and_calls_under_way_are_written_and_count_as_sent() {
    let mut places = Places::unknown_before(at(10));
    let ids = places.number(12);
    places.add_spare(ids, at(60));
    let taken = [places.take(at(61)), places.take(at(62))];
    let text = render(&places, "b", at(70), Seal::default());
    assert!(text.ends_with("+ 0 61000000000\n+ 1 62000000000\n+ 2 60000000000 10\n--\n"), "{text}");
    check(&(text.clone() + "- 0 70000000000\n"), &[(70, 1), (115, 11)], LedgerState::Continued);
    places.end(taken[0].unwrap(), at(70));
    let back = given_back(&places.give_back());
    check(&(text + "- 0 70000000000\n" + &back), &[(70, 1), (115, 1)], LedgerState::Continued);
    assert!(render(&places, "b", at(70), Seal::default()).ends_with("+ 1 62000000000\n--\n"));
}

#[test]
fn a_caution_outlives_the_process() {
    let slow = |text: &str| {
        let places =
            check(text, &[], if text.contains("boot b") { LedgerState::Continued } else { LedgerState::OtherBoot });
        (places.slow.map(|slow| (slow.divisor, slow.until)), render(&places, "b", at(100), Seal::default()))
    };
    let (found, written) = slow(&file("b", "/ 2 150s\n/ 4 200s\n"));
    assert_eq!(found, Some((4, at(200))), "the last word counts");
    assert!(written.ends_with("/ 4 200000000000\n--\n"), "{written}");
    assert_eq!(slow(&file("a", "/ 2 200s\n")).0, Some((2, at(250))));
    assert!(!slow(&file("b", "/ 2 90s\n")).1.contains('/'), "it is over");
    check(&file("b", "/ 3 150s\n! 5s\n"), &[], LedgerState::Damaged);
}

#[test]
fn after_damage_every_allowance_counts_as_used_up() {
    let limits = ["300/10s".parse().unwrap(), "100/1h".parse().unwrap()];
    for text in ["", "hello", "posbell-quota 3\nboot b\n", "posbell-quota 2\nboot b\nwritten 5\nsince x\n"] {
        let places = check(text, &[], LedgerState::Damaged);
        assert_eq!(places.lost, Some(at(115)));
        assert_eq!(limits.map(|limit| places.left(at(100), &limit)), [0, 0]);
        assert_eq!(limits.map(|limit| places.left(at(126), &limit)), [300, 0]);
    }
    check(&file("b", "= 40s 3\ngarbage\n= 41s 1\n"), &[(40, 3), (41, 1)], LedgerState::Damaged);
    assert_eq!(recover(Some(&[0xff; 40]), Mark::Missing, "b", at(100)).1, LedgerState::Damaged);
}

#[test]
fn no_file_is_an_unknown_past() {
    let unknown = (Places::unknown_before(at(100)), LedgerState::New);
    assert_eq!(recover(None, Mark::Missing, "b", at(100)), unknown);
}

#[test]
fn a_silence_outlives_the_process() {
    assert_eq!(check(&file("b", "! 200s\n"), &[], LedgerState::Continued).paused, at(200));
    assert_eq!(check(&file("a", "! 200s\n"), &[], LedgerState::OtherBoot).paused, at(250));
}

#[test]
fn what_was_concluded_once_is_not_concluded_again() {
    for text in [file("a", "+ 0 60s\n"), "gone".to_owned()] {
        let (text, mark) = sealed(&text);
        let (first, _) = recover(Some(text.as_bytes()), mark, "b", at(100));
        let (text, mark) = sealed(&render(&first, "b", at(100), Seal::default()));
        let (second, state) = recover(Some(text.as_bytes()), mark, "b", at(110));
        assert_eq!((second, state), (first, LedgerState::Continued));
    }
}
