use chrono::TimeDelta;

use super::*;

const NEW: &str = "sha256:new";
const OLD: &str = "sha256:old";
const BUILT: &str = "2026-11-25T09:35:41.064685114Z";

/// What the inbox knows: `web:1`, built at [`BUILT`], with [`NEW`] after [`OLD`].
struct Case {
    image: &'static str,
    created: Option<&'static str>,
    earlier: BTreeSet<String>,
    updated_id: Option<&'static str>,
    runs: Workload,
}

impl Default for Case {
    fn default() -> Self {
        let runs = Workload {
            provider: "docker",
            id: "c1".into(),
            image: Some("r/web:1".into()),
            ..Workload::default()
        };
        let earlier = BTreeSet::from([OLD.to_owned()]);
        Self { image: "r/web:1", created: Some(BUILT), earlier, updated_id: None, runs }
    }
}

fn received() -> DateTime<Utc> {
    parse_created("2026-11-25T10:00:00Z").unwrap().unwrap().to_utc()
}

fn check(case: &str, expected: Verdict, set: impl FnOnce(&mut Case)) {
    let mut known = Case::default();
    set(&mut known);
    let found = verdict(
        &Known {
            image: known.image,
            digest: NEW,
            created: known.created,
            earlier: &known.earlier,
            updated_id: known.updated_id,
            received: received(),
        },
        &known.runs,
    );
    assert_eq!(found, expected, "{case}");
}

fn digests(digests: &[&str]) -> BTreeSet<String> {
    digests.iter().map(|digest| (*digest).to_owned()).collect()
}

#[test]
fn the_decision_table() {
    use Verdict::{Behind, Done, Gone, Unknown};
    check("already running", Done, |case| case.runs.digests = digests(&[NEW]));
    check("an index pushed again, with both digests", Done, |case| {
        case.runs.digests = digests(&[OLD, NEW, "sha256:platform"]);
    });
    check("not pulled, or not recreated", Behind, |case| case.runs.digests = digests(&[OLD]));
    check("pushed again silently: the same build", Done, |case| {
        case.runs.digests = digests(&["sha256:other"]);
        case.runs.built = Some(BUILT.into());
    });
    check("whole seconds do not identify a build", Unknown, |case| {
        case.created = Some("2026-11-25T09:35:41Z");
        case.runs.digests = digests(&["sha256:other"]);
        case.runs.built = case.created.map(Into::into);
    });
    check("built here, later", Unknown, |case| {
        case.runs.is_local = true;
        case.runs.built = Some("2026-11-26T00:00:00.5Z".into());
    });
    check("a newer build that nobody announced", Done, |case| {
        case.runs.digests = digests(&["sha256:newer"]);
        case.runs.built = Some("2026-11-26T00:00:00.5Z".into());
    });
    check("an older build that nobody announced", Behind, |case| {
        case.runs.digests = digests(&["sha256:older"]);
        case.runs.built = Some("2026-11-24T00:00:00.5Z".into());
    });
    check("rolled back in the registry, the newer one never announced", Behind, |case| {
        case.updated_id = Some("c1");
        case.runs.digests = digests(&["sha256:newer"]);
        case.runs.built = Some("2026-11-26T00:00:00.5Z".into());
    });
    check("no id is not the same id", Unknown, |case| {
        case.updated_id = Some("");
        case.runs.id = String::new();
    });
    for built in ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", ""] {
        check("no build time: by digest only", Unknown, |case| {
            case.runs.digests = digests(&["sha256:other"]);
            case.runs.built = Some(built.into());
        });
    }
    check("another repository", Gone, |case| case.runs.image = Some("r/api:1".into()));
    check("a mirror with the watched digest", Done, |case| {
        case.runs.image = Some("mirror/web:1".into());
        case.runs.digests = digests(&[NEW]);
    });
    check("pinned, and the tag moved on", Behind, |case| case.runs.digests = digests(&[OLD]));
    check("a ghost while the digest still runs", Behind, |case| {
        case.image = "r/web@sha256:old";
        case.runs.digests = digests(&[OLD]);
    });
    check("a ghost when it is left", Done, |case| {
        case.image = "r/web@sha256:old";
        case.runs.digests = digests(&["sha256:other"]);
    });
    check("an older version of the line", Behind, |case| {
        case.image = "r/web:1.0.10";
        case.runs.image = Some("r/web:1.0.2".into());
    });
    check("a newer version of the line", Done, |case| {
        case.image = "r/web:1.0.2";
        case.runs.image = Some("r/web:1.0.10".into());
    });
    check("a newer version that was built earlier", Unknown, |case| {
        case.image = "r/web:1.0.2";
        case.runs.image = Some("r/web:1.0.10".into());
        case.runs.built = Some("2026-11-24T00:00:00.5Z".into());
    });
    check("another line", Unknown, |case| {
        case.image = "r/web:1.1.0";
        case.runs.image = Some("r/web:1.0.2".into());
    });
    check("latest, and a version runs", Unknown, |case| {
        case.image = "r/web:latest";
        case.runs.image = Some("r/web:1.0.2".into());
        case.runs.digests = digests(&[OLD]);
    });
    check("both have the digest", Done, |case| {
        case.image = "r/web:latest";
        case.runs.image = Some("r/web:1.0.2".into());
        case.runs.digests = digests(&[NEW]);
    });
    let pulled = |hours| Some(received() + TimeDelta::hours(hours));
    check("a pod that pulled after the event", Done, |case| {
        (case.runs.is_vague, case.runs.pulled) = (true, pulled(1));
    });
    check("a pod that pulled before it", Unknown, |case| {
        (case.runs.is_vague, case.runs.pulled) = (true, pulled(-1));
    });
    check("nothing is known", Unknown, |_| {});
}
