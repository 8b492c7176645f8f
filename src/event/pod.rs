//! The owner of a pod, from the pod's name.

/// What owns a pod, guessed from the pod's name: a StatefulSet appends a number, others five characters
/// of an alphabet of their own, after the hash of a ReplicaSet or the time of a CronJob.
pub(crate) fn pod_owner(pod: &str) -> &str {
    let is_random =
        |text: &str| text.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((base, end)) = pod.rsplit_once('-') else { return pod };
    if end.len() == 5 && is_random(end) {
        match base.rsplit_once('-') {
            Some((owner, hash))
                if (8..=10).contains(&hash.len()) && (is_random(hash) || is_number(hash)) =>
            {
                owner
            }
            _ => base,
        }
    } else if !end.is_empty() && is_number(end) {
        base
    } else {
        pod
    }
}
