use super::*;

fn error(json: &str) -> String {
    Event::from_json(json.as_bytes()).unwrap_err().to_string()
}

fn created(json: &str) -> Option<String> {
    Event::from_json(format!(r#"{{"image":"a","created":{json}}}"#).as_bytes()).unwrap().created
}

fn environment(variables: &[(&str, &str)]) -> Result<Event, EventError> {
    Event::from_env(variables.iter().map(|(name, value)| (name.into(), value.into())))
}

#[test]
fn everything_but_the_image_may_be_missing_empty_or_null() {
    let bare = Event { image: "docker.io/library/a:latest".into(), ..Event::default() };
    assert_eq!(Event::from_json(br#"{"image":"a"}"#), Ok(bare.clone()));
    let nulls = br#"{"diun_version":null,"hostname":null,"status":null,"provider":null,"image":"a",
        "hub_link":null,"mime_type":null,"digest":null,"created":null,"platform":null,"metadata":null}"#;
    assert_eq!(Event::from_json(nulls), Ok(bare.clone()));
    assert_eq!(
        Event::from_json(br#"{"image":"a","created":"","metadata":{},"new":[{}]}"#),
        Ok(bare)
    );
}

#[test]
fn an_event_without_an_image_is_refused() {
    for json in [r"{}", r#"{"image":""}"#, r#"{"image":null}"#] {
        assert!(error(json).starts_with("`image`: an image name is missing or empty"), "{json}");
    }
}

#[test]
fn an_unexpected_field_does_not_drop_the_event() {
    let read = |fields: &str| Event::read(format!(r#"{{"image":"a",{fields}}}"#).as_bytes());
    for field in
        ["diun_version", "hostname", "status", "provider", "hub_link", "digest", "platform"]
    {
        let (event, warnings) = read(&format!(r#""{field}":4.33"#)).unwrap();
        assert!(serde_json::to_string(&event).unwrap().contains(":\"4.33\""), "{field}");
        assert!(warnings.is_empty());
        let (event, warnings) = read(&format!(r#""{field}":{{"a":1}}"#)).unwrap();
        assert_eq!(event, Event::from_json(br#"{"image":"a"}"#).unwrap());
        assert!(
            warnings[0].starts_with(&format!("`{field}`: dropped {{\"a\":1}}")),
            "{warnings:?}"
        );
    }
    let metadata = read(r#""metadata":{"a":5,"b":true,"c":[1,"x"],"d":{"e":null},"f":null}"#);
    let metadata: Vec<(String, String)> = metadata.unwrap().0.metadata.into_iter().collect();
    let expected =
        [("a", "5"), ("b", "true"), ("c", "[1,\"x\"]"), ("d", "{\"e\":null}"), ("f", "")];
    assert_eq!(metadata, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    for (metadata, warned) in [("[]", 0), ("\"\"", 0), ("[1]", 1), ("\"x\"", 1), ("7", 1)] {
        let (event, warnings) = read(&format!(r#""metadata":{metadata}"#)).unwrap();
        assert_eq!((event.metadata.len(), warnings.len()), (0, warned), "{metadata}");
    }
    for (created, expected) in [
        ("\"2026-11-20 08:15:30 +0000 UTC\"", Some("2026-11-20T08:15:30Z")),
        ("1732600000", Some("2024-11-26T05:46:40Z")),
        ("\"0001-01-01T00:00:00.000Z\"", None),
        ("\"Nov 20, 2026 08:15:30 UTC\"", None),
        ("\"2036-02-30T00:00:00Z\"", None),
        ("\"-\"", None),
        ("1e300", None),
        ("-1e300", None),
        ("true", None),
    ] {
        let (event, _) = read(&format!(r#""created":{created}"#)).unwrap();
        assert_eq!(event.created.as_deref(), expected, "{created}");
        let line = serde_json::to_vec(&event).unwrap();
        assert_eq!(Event::from_json(&line), Ok(event));
    }
    for json in ["[]", "7", "", r#"{"image":"#] {
        assert!(error(json).starts_with("not a JSON event: "), "{json}");
    }
    for json in
        [r#"{"image":5}"#, r#"{"image":["a"]}"#, r#"{"Image":"a"}"#, r#"{"body":{"image":"a"}}"#]
    {
        assert!(error(json).starts_with("`image`: "), "{json}");
    }
    // Of two values the last counts, as for most readers of JSON.
    assert_eq!(
        Event::from_json(br#"{"image":"a","image":"b:1"}"#).unwrap().image,
        "docker.io/library/b:1"
    );
    assert!(Event::from_json("\u{feff}{\"image\":\"a\"}".as_bytes()).is_ok());
}

#[test]
fn created_is_kept_as_sent_and_the_zero_time_is_missing() {
    for text in ["2020-03-26T12:23:56Z", "2026-11-23T21:45:52.4427Z", "2026-11-23T21:45:52+02:00"] {
        assert_eq!(created(&format!("\"{text}\"")).as_deref(), Some(text));
    }
    for json in ["null", "\"\"", "\"0001-01-01T00:00:00Z\""] {
        assert_eq!(created(json), None, "{json}");
    }
}

#[test]
fn the_script_notifiers_environment_gives_the_same_event_as_json() {
    let event = environment(&[
        ("HOME", "/root"),
        ("DIUN_VERSION", "4.33.0"),
        ("DIUN_HOSTNAME", "edge-1"),
        ("DIUN_ENTRY_STATUS", "new"),
        ("DIUN_ENTRY_PROVIDER", "docker"),
        ("DIUN_ENTRY_IMAGE", "docker.io/library/nginx:1.27"),
        ("DIUN_ENTRY_HUBLINK", "https://hub.docker.com/_/nginx"),
        ("DIUN_ENTRY_MIMETYPE", "application/json"),
        ("DIUN_ENTRY_DIGEST", "sha256:00"),
        ("DIUN_ENTRY_CREATED", "2020-03-26 12:23:56.44 +0000 UTC"),
        ("DIUN_ENTRY_PLATFORM", "linux/arm64"),
        ("DIUN_ENTRY_METADATA_CTN_NAMES", "web"),
    ]);
    let json = br#"{"diun_version":"4.33.0","hostname":"edge-1","status":"new","provider":"docker",
        "image":"docker.io/library/nginx:1.27","hub_link":"https://hub.docker.com/_/nginx",
        "mime_type":"application/json","digest":"sha256:00","created":"2020-03-26T12:23:56.440Z",
        "platform":"linux/arm64","metadata":{"ctn_names":"web"}}"#;
    assert_eq!(event, Event::from_json(json));
}

#[test]
fn the_environments_created_is_gos_text_form() {
    let created = |text| {
        environment(&[("DIUN_ENTRY_IMAGE", "a"), ("DIUN_ENTRY_CREATED", text)]).map(|e| e.created)
    };
    assert_eq!(created("2020-03-26 12:23:56 +0000 UTC"), Ok(Some("2020-03-26T12:23:56Z".into())));
    assert_eq!(
        created("2020-03-26 12:23:56 +0100 CET m=+0.1"),
        Ok(Some("2020-03-26T12:23:56+01:00".into()))
    );
    for nothing in ["<nil>", "", "0001-01-01 00:00:00 +0000 UTC"] {
        assert_eq!(created(nothing), Ok(None), "{nothing}");
    }
    // A time that cannot be read is not worth the event. RFC 3339 has no such years.
    for never in ["soon", "-0004-01-01 00:00:00 +0000 UTC", "+10000-01-01 00:00:00 +0000 UTC"] {
        assert_eq!(created(never), Ok(None), "{never}");
    }
    assert_eq!(environment(&[("HOME", "/")]), Err(EventError::NoEnvironment));
    assert!(matches!(environment(&[("DIUN_ENTRY_IMAGE", "")]), Err(EventError::Image(_))));
}

#[test]
fn each_provider_names_its_workload() {
    let workload = |provider: &str, metadata: &[(&str, &str)]| {
        let metadata = metadata.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Event { provider: provider.into(), metadata, ..Event::default() }.workload()
    };
    assert_eq!(workload("docker", &[("ctn_names", "api-0"), ("ctn_id", "03")]), "api-0");
    assert_eq!(workload("containerd", &[("ctn_name", "api"), ("ctn_id", "03")]), "api");
    assert_eq!(workload("swarm", &[("svc_id", "x1"), ("ctn_name", "web")]), "web");
    for (pod, owner) in [
        ("api-7d9f8b6c5-x2x4q", "api"),
        ("api-gateway-7d9f8b6c5b-x2x4q", "api-gateway"),
        ("agent-x2x4q", "agent"),
        ("db-0", "db"),
        ("backup-29391840-x2x4q", "backup"),
        ("shop-redis", "shop-redis"),
        ("web", "web"),
        ("-", "-"),
        ("", ""),
    ] {
        assert_eq!(pod_owner(pod), owner);
    }
    let pod = [("pod_namespace", "prod"), ("pod_name", "api-7f"), ("ctn_name", "api")];
    assert_eq!(workload("kubernetes", &pod), "prod/api-7f/api");
    assert_eq!(workload("kubernetes", &pod[1..2]), "api-7f");
    let task = [("job_name", "shop"), ("taskgroup_name", "web"), ("task_name", "nginx")];
    assert_eq!(workload("nomad", &task), "shop/web/nginx");
    assert_eq!(workload("file", &[("ctn_names", "x")]), "");
    assert_eq!(workload("podman", &[("ctn_names", "db")]), "db");
    assert_eq!(workload("k3s", &pod), "prod/api-7f/api");
    assert_eq!(workload("", &[]), "");
}

#[test]
fn a_field_beyond_its_limit_is_cut_and_nul_is_removed() {
    let long = "ä".repeat(2_000);
    let json = serde_json::json!({
        "image": "a", "hostname": format!("n\0as{long}"), "provider": "docker", "hub_link": "x".repeat(3_000),
        "metadata": {"ctn_names": format!("we\0b{long}")},
    });
    let (event, warnings) = Event::read(json.to_string().as_bytes()).unwrap();
    assert!(
        event.hostname.starts_with("nasä") && event.hostname.len() <= 256,
        "{}",
        event.hostname
    );
    assert_eq!(event.hub_link.len(), 2_048);
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    let workload = event.workload();
    assert!(workload.starts_with("webä") && workload.len() <= 450, "{workload}");
    let huge = serde_json::json!({"image": "a", "metadata": {"a": "x".repeat(1 << 20), "b": "y"}});
    let (event, warnings) = Event::read(huge.to_string().as_bytes()).unwrap();
    assert_eq!((event.metadata.len(), warnings.len()), (0, 1));
}
