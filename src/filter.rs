//! Which updates a person or a script asks for.

use chrono::{DateTime, Utc};

use crate::image::ImagePattern;
use crate::store::{Listed, State};

/// What an update must be to be listed. Each part that is left empty lets everything pass.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Pending, acknowledged, or both.
    pub state: State,
    /// It carries one of the tags of these names.
    pub tags: Vec<String>,
    /// It carries no tag.
    pub untagged: bool,
    /// One of these hosts runs its current digest.
    pub hosts: Vec<String>,
    /// One of these providers runs its current digest; with `hosts`, on such a host.
    pub providers: Vec<String>,
    /// Its name matches one of these.
    pub images: Vec<ImagePattern>,
    /// It was received at this time or later.
    pub since: Option<DateTime<Utc>>,
}

impl Filter {
    /// Whether it needs to know of all places.
    pub fn asks_for_places(&self) -> bool {
        !self.hosts.is_empty() || !self.providers.is_empty()
    }

    /// Whether an update is one of those asked for.
    pub fn matches(&self, update: &impl Listed) -> bool {
        let state = match self.state {
            State::Pending => !update.is_acknowledged(),
            State::Acknowledged => update.is_acknowledged(),
            State::All => true,
        };
        let tag = match update.tag() {
            Some(tag) => !self.untagged && among(&self.tags, tag),
            None => self.tags.is_empty(),
        };
        let place = || {
            update.places().iter().any(|place| {
                among(&self.hosts, &place.hostname) && among(&self.providers, &place.provider)
            })
        };
        let image = || {
            self.images.is_empty()
                || self.images.iter().any(|pattern| pattern.matches(update.image()))
        };
        let since = self.since.is_none_or(|since| update.received_at() >= since);
        state && tag && since && image() && place()
    }
}

fn among(wanted: &[String], found: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|wanted| wanted == found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::store::{Place, Tag, Update};

    fn update() -> Update {
        let place = |hostname: &str, provider: &str| Place {
            hostname: hostname.into(),
            provider: provider.into(),
            workload: String::new(),
        };
        Update {
            event: Event { image: "docker.io/library/nginx:1.27".into(), ..Event::default() },
            received_at: DateTime::UNIX_EPOCH,
            acknowledged_at: None,
            tag: Some(Tag { id: 1, name: "web".into() }),
            places: vec![place("edge-1", "docker"), place("edge-2", "swarm")],
        }
    }

    #[test]
    fn an_empty_filter_takes_what_is_pending() {
        let acknowledged = Update { acknowledged_at: Some(DateTime::UNIX_EPOCH), ..update() };
        assert!(Filter::default().matches(&update()));
        assert!(!Filter::default().matches(&acknowledged));
        assert!(Filter { state: State::Acknowledged, ..Filter::default() }.matches(&acknowledged));
        assert!(Filter { state: State::All, ..Filter::default() }.matches(&acknowledged));
    }

    #[test]
    fn tags_images_and_times_restrict() {
        let matches = |filter: Filter| filter.matches(&update());
        assert!(matches(Filter { tags: vec!["db".into(), "web".into()], ..Filter::default() }));
        assert!(!matches(Filter { tags: vec!["db".into()], ..Filter::default() }));
        assert!(!matches(Filter { untagged: true, ..Filter::default() }));
        let untagged = Update { tag: None, ..update() };
        assert!(Filter { untagged: true, ..Filter::default() }.matches(&untagged));
        assert!(!Filter { tags: vec!["web".into()], ..Filter::default() }.matches(&untagged));
        let images = |pattern| vec![ImagePattern::new(pattern).unwrap()];
        assert!(matches(Filter { images: images("nginx:*"), ..Filter::default() }));
        assert!(!matches(Filter { images: images("redis:*"), ..Filter::default() }));
        assert!(matches(Filter { since: Some(DateTime::UNIX_EPOCH), ..Filter::default() }));
        let later = DateTime::from_timestamp(1, 0);
        assert!(!matches(Filter { since: later, ..Filter::default() }));
    }

    #[test]
    fn host_and_provider_must_meet_in_one_place() {
        let matches = |host: &str, provider: &str| {
            let list = |name: &str| {
                if name.is_empty() { vec![] } else { vec![name.to_owned()] }
            };
            let filter =
                Filter { hosts: list(host), providers: list(provider), ..Filter::default() };
            filter.matches(&update())
        };
        assert!(matches("edge-1", ""));
        assert!(matches("", "swarm"));
        assert!(matches("edge-2", "swarm"));
        assert!(!matches("edge-1", "swarm"));
        assert!(!matches("edge-3", ""));
    }
}
