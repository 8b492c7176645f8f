use super::*;

#[test]
fn short_and_full_names_are_dockers() {
    for (short, full) in [
        ("nginx:latest", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("grafana/loki:3", "docker.io/grafana/loki:3"),
        ("ghcr.io/acme/api:2.0", "ghcr.io/acme/api:2.0"),
        ("localhost/x:1", "localhost/x:1"),
        ("host:5000/x/y:tag@sha256:ab", "host:5000/x/y:tag@sha256:ab"),
        ("nginx@sha256:ab", "docker.io/library/nginx@sha256:ab"),
    ] {
        assert_eq!(full_name(short), full);
        assert_eq!(full_name(full), full);
        assert_eq!(short_name(full), short);
    }
    assert_eq!(full_name("nginx"), "docker.io/library/nginx:latest");
    assert_eq!(full_name("index.docker.io/nginx"), "docker.io/library/nginx:latest");
    assert_eq!(full_name("host:5000/x"), "host:5000/x:latest");
}

#[test]
fn names_that_mean_the_same_become_one() {
    for (name, full) in [
        ("docker.io/nginx:1.27", "docker.io/library/nginx:1.27"),
        ("index.docker.io/nginx:1.27", "docker.io/library/nginx:1.27"),
        ("Docker.IO/library/nginx:1.27", "docker.io/library/nginx:1.27"),
        ("\tnginx:1.27\n", "docker.io/library/nginx:1.27"),
        ("searxng/searxng", "docker.io/searxng/searxng:latest"),
        ("GHCR.io/acme/api:2.0-RC", "ghcr.io/acme/api:2.0-RC"),
        ("LOCALHOST/x:1", "localhost/x:1"),
        ("web:1@sha256:AB", "docker.io/library/web:1@sha256:AB"),
    ] {
        assert_eq!(ImageName::new(name).unwrap().as_str(), full, "{name}");
        assert_eq!(ImageName::new(full).unwrap().as_str(), full, "{name}");
    }
}

#[test]
fn invalid_names_are_refused() {
    for name in [
        "",
        " ",
        "a b",
        "a\u{0}",
        "evil\u{0}*",
        "a*",
        "a?",
        "a[b]",
        "a\u{1b}[2J",
        "a\nb",
        "a//b",
        "/a",
        "a/",
        "a:",
        ":a",
        "a@",
        "@sha256:ab",
        "docker.io/",
        "ghcr.io/:latest",
        "a:/b",
        "a\u{a0}b",
    ] {
        assert!(ImageName::new(name).is_err(), "{name:?} became {:?}", ImageName::new(name));
    }
    let name = |length: usize| ImageName::new(&format!("ghcr.io/{}:1", "a".repeat(length - 10)));
    assert!(name(1_024).is_ok() && name(1_025).is_err());
    // What counts is the full name, which must be a name too.
    assert!(ImageName::new(&"a".repeat(1_024)).is_err());
}

#[test]
fn a_short_name_expands_to_its_full_name() {
    for full in ["docker.io/a.b/c:1", "docker.io/library/a/b:1", "docker.io/", "docker.io/library/"]
    {
        let short = short_name(full);
        assert!(short == full || full_name(short) == full, "{full} became {short}");
    }
}

#[test]
fn patterns_match_full_and_short_names_across_slashes() {
    let matches = |pattern: &str, image: &str| ImagePattern::new(pattern).unwrap().matches(image);
    assert!(matches("nginx*", "docker.io/library/nginx:1.27"));
    assert!(matches("*nginx*", "docker.io/library/nginx:1.27"));
    assert!(matches("ghcr.io/*:2.?", "ghcr.io/acme/deep/api:2.0"));
    assert!(matches("a**b***c", "axbyc"));
    assert!(matches("redis:[67]", "docker.io/library/redis:7"));
    assert!(!matches("nginx", "docker.io/library/nginx:1.27"));
    assert!(!matches("NGINX*", "docker.io/library/nginx:1.27"));
    assert!(ImagePattern::new("a[b").unwrap_err().starts_with("\"a[b\" is not a pattern"));
}

#[test]
fn suggestions_put_other_tags_first_and_omit_unrelated_names() {
    let names =
        ["docker.io/library/nginx:1.27", "docker.io/library/nginz:latest", "ghcr.io/acme/api:2.0"];
    assert_eq!(suggestions("nginx", names), ["nginx:1.27", "nginz:latest"]);
    assert_eq!(suggestions("ghcr.io/acme/apu:2.0", names), ["ghcr.io/acme/api:2.0"]);
    assert_eq!(suggestions("api", names), ["ghcr.io/acme/api:2.0"]);
    assert!(suggestions("postgres", names).is_empty());
}
