use super::*;
use proptest::prelude::*;

type Found = (u64, Result<String, Broken>);

fn split(chunks: &[&[u8]]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut keep = |piece: Piece<'_>| {
        let object = piece.object.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        found.push((piece.line, object));
    };
    let mut splitter = Splitter::default();
    for chunk in chunks {
        splitter.feed(chunk, &mut keep);
    }
    splitter.finish(&mut keep);
    found
}

fn ok(line: u64, object: &str) -> Found {
    (line, Ok(object.to_owned()))
}

#[test]
fn every_form_gives_the_same_objects() {
    for input in [
        "{\"a\":1}\n{\"a\":2}\n",
        "{\"a\":1}\r\n\r\n  \t{\"a\":2}",
        "\u{FEFF}{\"a\":1}\n\n{\"a\":2}\n\n",
        "[{\"a\":1},\n{\"a\":2}]",
        "[\n{\"a\":1}\n,{\"a\":2}\n]\n",
        "{\"a\":1}{\"a\":2}",
    ] {
        let objects: Vec<_> = split(&[input.as_bytes()]).into_iter().map(|(_, o)| o).collect();
        assert_eq!(objects, [Ok("{\"a\":1}".into()), Ok("{\"a\":2}".into())], "{input:?}");
    }
    assert_eq!(split(&[b"{\n \"a\": {\n  \"b\": [1, {}]\n }\n}\n{}"]).len(), 2);
    for nothing in ["", "\n\n", "\u{FEFF}", "[]", " [ ] "] {
        assert_eq!(split(&[nothing.as_bytes()]), [], "{nothing:?}");
    }
}

#[test]
fn braces_and_quotes_within_texts_do_not_count() {
    let object = r#"{"a}":"{\"}]","b\\":"\\"}"#;
    assert_eq!(split(&[object.as_bytes()]), [ok(1, object)]);
}

#[test]
fn a_line_cut_in_half_hides_nothing() {
    let good = "{\"i\":\"g\",\"m\":{\"k\":\"v\"}}";
    for end in 1..good.len() {
        let input = format!("{good}\n{}\n{good}\n{good}\n", &good[..end]);
        let expected = vec![ok(1, good), (2, Err(Broken::Syntax(3))), ok(3, good), ok(4, good)];
        let mut found = split(&[input.as_bytes()]);
        if let Err(Broken::Syntax(line)) = &mut found[1].1 {
            // Within a text the line's own end is wrong; behind a colon the line after the next.
            assert!((2..=4).contains(line));
            *line = 3;
        }
        assert_eq!(found, expected, "cut after {:?}", &good[..end]);
    }
}

#[test]
fn a_line_broken_in_two_is_one_broken_object() {
    let found = split(&[b"{\"a\":1}\n{\"image\":\"x\",\"di\ngest\":\"y\"}\n{\"a\":2}\n"]);
    assert_eq!(found, [ok(1, "{\"a\":1}"), (2, Err(Broken::Syntax(2))), ok(4, "{\"a\":2}")]);
}

#[test]
fn a_broken_object_within_an_array_on_one_line_hides_nothing() {
    let found = split(&[b"[{\"a\":1},{\"a\":,\"m\":{\"k\":1}},{\"a\":2}]"]);
    assert_eq!(found, [ok(1, "{\"a\":1}"), (1, Err(Broken::Syntax(1))), ok(1, "{\"a\":2}")]);
}

#[test]
fn an_item_that_is_not_an_object_hides_nothing_in_its_array() {
    let garbage = (1, Err(Broken::NotAnObject));
    let found = split(&[b"[{\"a\":1},null,{\"a\":2}]\n{\"a\":3}"]);
    assert_eq!(
        found,
        [ok(1, "{\"a\":1}"), garbage.clone(), ok(1, "{\"a\":2}"), ok(2, "{\"a\":3}")]
    );
    let found = split(&[b"[1, \"two\",{\"a\":1}, 3]{\"a\":2}"]);
    assert_eq!(
        found,
        [garbage.clone(), garbage.clone(), ok(1, "{\"a\":1}"), garbage, ok(1, "{\"a\":2}")]
    );
}

#[test]
fn garbage_is_reported_line_by_line() {
    let found = split(&[b"hello {\"a\":0}\n{\"a\":1}\n\xFF\xFE\n42\n{\"a\":2}]"]);
    let garbage = |line| (line, Err(Broken::NotAnObject));
    assert_eq!(
        found,
        [garbage(1), ok(2, "{\"a\":1}"), garbage(3), garbage(4), ok(5, "{\"a\":2}"), garbage(5)]
    );
}

#[test]
fn an_end_within_an_object_or_an_array_is_reported() {
    assert_eq!(split(&[b"{\"a\":1}\n{\"a\":"]), [ok(1, "{\"a\":1}"), (2, Err(Broken::CutShort))]);
    assert_eq!(split(&[b"\n[{\"a\":1},"]), [ok(2, "{\"a\":1}"), (2, Err(Broken::OpenArray))]);
    let swallowed = split(&[b"{\"a\":\n{\"a\":1}\n"]);
    assert_eq!(swallowed, [(1, Err(Broken::CutShort)), ok(2, "{\"a\":1}")]);
}

#[test]
fn size_and_depth_are_bounded() {
    let mut large = b"{\"a\":\"".to_vec();
    large.resize(MAX_OBJECT_BYTES, b'x');
    large.extend_from_slice(b"\"}\n{\"a\":1}");
    assert_eq!(split(&[&large]), [(1, Err(Broken::TooLarge)), ok(2, "{\"a\":1}")]);
    let deep = "{\"a\":".repeat(200);
    assert_eq!(split(&[deep.as_bytes(), b"\n{}"])[0], (1, Err(Broken::Syntax(1))));
}

proptest! {
    #[test]
    fn chunks_do_not_matter(
        input in proptest::collection::vec(prop_oneof![
            Just(b"{\"a\":1}".to_vec()), Just(b"\n".to_vec()), Just(b"{\"a\":\"x".to_vec()),
            Just(b"[".to_vec()), Just(b"]".to_vec()), Just(b",".to_vec()), Just(BOM.to_vec()),
            Just(b"}".to_vec()), Just(b"\"".to_vec()), Just(b"\\".to_vec()), any::<u8>().prop_map(|b| vec![b]),
        ], 0..24).prop_map(|parts| parts.concat()),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        cuts.sort_unstable();
        let mut chunks = Vec::new();
        let mut from = 0;
        for cut in cuts {
            chunks.push(&input[from..cut]);
            from = cut;
        }
        chunks.push(&input[from..]);
        prop_assert_eq!(split(&chunks), split(&[&input]));
    }

    #[test]
    fn every_object_is_found_in_every_form(
        maps in proptest::collection::vec(
            proptest::collection::btree_map(any::<String>(), any::<Option<String>>(), 0..4), 0..5,
        ),
        pretty: bool,
        array: bool,
        gap in "[ \t\r\n]{0,2}",
    ) {
        let objects: Vec<String> = maps.iter().map(|map| {
            let text = if pretty { serde_json::to_string_pretty(map) } else { serde_json::to_string(map) };
            text.unwrap()
        }).collect();
        let mut input = objects.join(&if array { format!(",{gap}") } else { gap });
        if array {
            input = format!("[{input}]");
        }
        let found: Vec<_> = split(&[input.as_bytes()]).into_iter().map(|(_, object)| object).collect();
        prop_assert_eq!(found, objects.into_iter().map(Ok).collect::<Vec<_>>());
    }
}
