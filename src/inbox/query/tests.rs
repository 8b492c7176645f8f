use super::*;

#[test]
fn every_filter_refuses_invalid_values() {
    for (name, value) in [
        ("state", "done"),
        ("state", ""),
        ("image", "a[b"),
        ("untagged", "1"),
        ("since", "7"),
        ("since", "yesterday"),
        ("before", ""),
        ("sort", "size"),
        ("limit", "-1"),
        ("after", "x"),
    ] {
        let error = Query::all(DateTime::UNIX_EPOCH).set(name, value).unwrap_err();
        assert!(error.starts_with(&format!("`{name}`: ")), "{error}");
    }
    assert!(
        Query::all(DateTime::UNIX_EPOCH).set("tags", "x").unwrap_err().contains("no such filter")
    );
}

#[test]
fn values_of_a_list_add_up() {
    let mut query = Query::all(DateTime::UNIX_EPOCH);
    for (name, value) in
        [("state", "pending,snoozed"), ("state", "ignored"), ("host", "a"), ("host", "b")]
    {
        query.set(name, value).unwrap();
    }
    assert_eq!(query.states, [State::Pending, State::Snoozed, State::Ignored]);
    assert_eq!(query.hosts, ["a", "b"]);
    query.set("since", "999999999999years").unwrap_err();
    let cursor = Cursor { since: -5, image: "a.b/c:1".to_owned() };
    assert_eq!(cursor.to_string().parse(), Ok(cursor));
}
