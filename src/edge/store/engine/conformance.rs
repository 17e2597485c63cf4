//! What an engine must do, whichever it is. A new one is right when it passes [`conforms`].

use std::collections::BTreeMap;

use super::{Batch, Bytes, Engine, Entries, Fence, Progress, Span};
use crate::edge::store::StoreError;

/// Opens what the last one has left; that one is closed by then. What it kept at first is nothing.
pub(in crate::edge::store) type Open<'a> = &'a mut dyn FnMut() -> Box<dyn Engine>;

/// Runs every check on engines of one kind, each on its own place.
pub(in crate::edge::store) fn conforms(mut place: impl FnMut() -> Box<dyn FnMut() -> Box<dyn Engine>>) {
    let checks: [fn(Open<'_>); 7] = [
        values_of_every_length_are_given_back,
        keys_are_walked_in_their_order_within_their_bounds,
        of_a_batch_the_last_word_counts,
        only_the_newest_fence_may_write,
        what_is_long_can_become_short_and_nothing,
        it_is_read_whole_and_says_how_far_it_is,
        random_work_gives_what_a_map_gives,
    ];
    for check in checks {
        check(&mut *place());
    }
}

fn batch(writes: &[(&str, Option<&[u8]>)]) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in writes {
        match value {
            Some(value) => batch.insert(*key, *value),
            None => batch.remove(*key),
        }
    }
    batch
}

fn write(engine: &dyn Engine, writes: &[(&str, Option<&[u8]>)]) {
    let fence = engine.take_over().unwrap();
    engine.apply(fence, &batch(writes)).unwrap();
    engine.sync().unwrap();
}

fn listed(entries: Entries<'_>) -> Vec<(String, Vec<u8>)> {
    let read = |entry: Result<(Bytes, Bytes), StoreError>| {
        let (key, value) = entry.unwrap();
        (String::from_utf8(key.to_vec()).unwrap(), value.to_vec())
    };
    entries.map(read).collect()
}

fn all(engine: &dyn Engine) -> Vec<(String, Vec<u8>)> {
    listed(engine.scan(Span::all()))
}

/// Values around every length at which an engine may do something else, and some that look like what it does then.
fn values() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = [0, 1, 22, 23, 5_119, 5_120, 5_121, 10_240, 10_241, 140_000, 1_000_000]
        .into_iter()
        .map(|length: usize| (0..length).map(|n| (n * 31 % 251) as u8).collect())
        .collect();
    values.extend([&b"\x00pieces\x01"[..], b"\x00pieces\x01\x00\x00\x00\x05", &[0xff; 40]].map(<[u8]>::to_vec));
    let mut whole_place = b"\x00pieces\x01".to_vec();
    whole_place.resize(28, 0);
    values.push(whole_place);
    values
}

fn values_of_every_length_are_given_back(open: Open<'_>) {
    let engine = open();
    for (n, value) in values().iter().enumerate() {
        write(&*engine, &[(&format!("v/{n:02}"), Some(value))]);
    }
    let check = |engine: &dyn Engine| {
        for (n, value) in values().iter().enumerate() {
            let key = format!("v/{n:02}");
            assert_eq!(engine.get(key.as_bytes()).unwrap().as_deref(), Some(&value[..]), "{n}");
            assert!(engine.has(key.as_bytes()).unwrap());
        }
        let walked: Vec<Vec<u8>> = all(engine).into_iter().map(|(_, value)| value).collect();
        assert_eq!(walked, values(), "a walk finds these and nothing else");
        assert_eq!((engine.get(b"v/").unwrap(), engine.has(b"v/99").unwrap()), (None, false));
    };
    check(&*engine);
    drop(engine);
    check(&*open());
}

fn keys_are_walked_in_their_order_within_their_bounds(open: Open<'_>) {
    let engine = open();
    for key in ["b/2", "a/1", "b/1", "c/", "b/10", "b0", "b/\u{7f}"] {
        write(&*engine, &[(key, Some(key.as_bytes()))]);
    }
    let keys = |span: Span| -> Vec<String> { listed(engine.scan(span)).into_iter().map(|(key, _)| key).collect() };
    assert_eq!(keys(Span::all()), ["a/1", "b/1", "b/10", "b/2", "b/\u{7f}", "b0", "c/"]);
    assert_eq!(keys(Span::prefix(b"b/")), ["b/1", "b/10", "b/2", "b/\u{7f}"]);
    assert_eq!(keys(Span::prefix(b"d")), [""; 0]);
    assert_eq!(keys(Span::behind(b"b/2".to_vec())), ["b/\u{7f}", "b0", "c/"]);
    assert_eq!(keys(Span::from(b"b/1".to_vec()..b"b/2".to_vec())), ["b/1", "b/10"]);
    assert_eq!(keys(Span::from(b"b/2".to_vec()..b"b/1".to_vec())), [""; 0], "there is nothing between");
    assert_eq!(keys(Span::from(b"b/1".to_vec()..b"b/1".to_vec())), [""; 0]);
    for span in [Span::all(), Span::prefix(b"b/"), Span::behind(b"a/1".to_vec())] {
        let mut back = listed(engine.scan_back(span.clone()));
        back.reverse();
        assert_eq!(back, listed(engine.scan(span.clone())));
        let alone: Vec<Bytes> = engine.keys(span.clone()).map(Result::unwrap).collect();
        assert_eq!(alone.len(), back.len());
    }
}

fn of_a_batch_the_last_word_counts(open: Open<'_>) {
    let engine = open();
    write(&*engine, &[("a", Some(b"1")), ("b", Some(b"1")), ("a", None), ("c", None), ("c", Some(b"2"))]);
    assert_eq!(all(&*engine), [("b".to_owned(), b"1".to_vec()), ("c".to_owned(), b"2".to_vec())]);
    write(&*engine, &[("b", None), ("never there", None)]);
    write(&*engine, &[]);
    assert_eq!(all(&*engine), [("c".to_owned(), b"2".to_vec())]);
}

fn only_the_newest_fence_may_write(open: Open<'_>) {
    let engine = open();
    let first = engine.take_over().unwrap();
    engine.apply(first, &batch(&[("a", Some(b"1"))])).unwrap();
    let second = engine.take_over().unwrap();
    assert!(second > first);
    let refused = engine.apply(first, &batch(&[("a", Some(b"2")), ("b", Some(b"2"))]));
    assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
    assert_eq!(all(&*engine), [("a".to_owned(), b"1".to_vec())], "nothing of it was written");
    engine.apply(second, &batch(&[("a", Some(b"3"))])).unwrap();
    engine.sync().unwrap();
    drop(engine);
    let engine = open();
    let third = engine.take_over().unwrap();
    assert!(third > second, "who has slept through an end does not wake up as the owner");
    for older in [Fence(0), first, second] {
        assert!(matches!(engine.apply(older, &batch(&[("a", None)])), Err(StoreError::Fenced)));
    }
    assert_eq!(engine.get(b"a").unwrap().as_deref(), Some(&b"3"[..]));
}

fn what_is_long_can_become_short_and_nothing(open: Open<'_>) {
    let engine = open();
    let long = vec![7; 300_000];
    for value in [&long[..], &long[..20_000], b"short", &long[..6_000], &long[..]] {
        write(&*engine, &[("k", Some(value))]);
        assert_eq!(engine.get(b"k").unwrap().as_deref(), Some(value));
        assert!(engine.verify(&mut |_| true).unwrap());
    }
    write(&*engine, &[("k", None)]);
    assert_eq!((engine.get(b"k").unwrap(), all(&*engine)), (None, Vec::new()));
    write(&*engine, &[("k", Some(b"short again"))]);
    assert_eq!(all(&*engine).len(), 1);
}

fn it_is_read_whole_and_says_how_far_it_is(open: Open<'_>) {
    let engine = open();
    let keys: Vec<String> = (0..5_000).map(|n| format!("n/{n:05}")).collect();
    for some in keys.chunks(200) {
        let writes: Vec<(&str, Option<&[u8]>)> = some.iter().map(|key| (&key[..], Some(&b"x"[..]))).collect();
        write(&*engine, &writes);
    }
    let mut last = Progress::default();
    assert!(engine.verify(&mut |progress| (progress, last = progress).0.of >= 5_000).unwrap());
    assert!(last.done > 1_000 && last.of >= last.done, "{last:?}");
    assert!(!engine.verify(&mut |_| false).unwrap(), "it was ended");
}

/// Numbers without a pattern, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

fn random_work_gives_what_a_map_gives(open: Open<'_>) {
    let mut dice = Dice(11);
    let mut map = BTreeMap::new();
    let mut engine = open();
    for round in 0..60 {
        for _batch in 0..8 {
            let mut batch = Batch::default();
            for _write in 0..=dice.below(30) {
                let key = format!("{}/{}", ["e", "r/main/stock", "r/two/stock"][dice.below(3)], dice.below(120));
                let length = [3, 40, 900, 5_200, 30_000][dice.below(5)];
                match dice.below(4) {
                    0 => {
                        map.remove(&key);
                        batch.remove(key);
                    }
                    _ => {
                        let value = vec![dice.below(256) as u8; length];
                        map.insert(key.clone(), value.clone());
                        batch.insert(key, value);
                    }
                }
            }
            engine.apply(engine.take_over().unwrap(), &batch).unwrap();
        }
        engine.sync().unwrap();
        if round % 10 == 9 {
            drop(engine);
            engine = open();
        }
        assert_eq!(all(&*engine).into_iter().collect::<BTreeMap<_, _>>(), map, "round {round}");
        assert!(engine.verify(&mut |_| true).unwrap());
    }
}

#[test]
fn a_map_in_memory_conforms() {
    conforms(|| {
        let model = super::model::Model::default();
        Box::new(move || Box::new(model.clone()))
    });
}
