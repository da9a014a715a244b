//! The envelope of a CloudEvent in its *structured* mode: one JSON object with the event under `data`
//! (CloudEvents 1.0, Kafka protocol binding, 3.3). In the *binary* mode the message is the event and the attributes are headers: nothing to open.
//! It is known by `specversion`, not by its content type, which writers leave out or give as `application/json`.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{CloudEventData, Rule};

#[derive(Deserialize)]
struct Envelope<'a> {
    /// Required by every version. Only a string is one: an object of another kind may have a field of this name.
    #[serde(borrow)]
    specversion: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    data_base64: Option<&'a RawValue>,
}

/// The JSON text under `data`, or `None` where the object is no CloudEvent.
///
/// # Errors
/// [`Rule::CloudEventData`]: it is one, and `data` is not there or no object (`data_base64`, a string that holds JSON).
pub(crate) fn data(object: &str) -> Result<Option<&str>, Rule> {
    let Ok(Envelope { specversion: Some(version), data, data_base64 }) = serde_json::from_str(object) else { return Ok(None) };
    if !version.get().starts_with('"') {
        return Ok(None);
    }
    match data.map(RawValue::get) {
        Some(data) if data.starts_with('{') => Ok(Some(data)),
        Some(_) => Err(Rule::CloudEventData(CloudEventData::NoObject)),
        None if data_base64.is_some() => Err(Rule::CloudEventData(CloudEventData::Base64)),
        None => Err(Rule::CloudEventData(CloudEventData::Absent)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{EventType, Field, decode, samples};

    fn envelope(members: &Value) -> Vec<u8> {
        let mut envelope = json!({ "specversion": "1.0", "id": "41", "source": "/shop", "type": "com.example.shop", "time": "2026-03-01T12:00:00Z",
            "datacontenttype": "application/json", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });
        envelope.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        envelope.to_string().into_bytes()
    }

    #[test]
    fn the_event_is_what_lies_under_data() {
        for event_type in EventType::ALL {
            let event = samples::of(event_type);
            let data: Value = serde_json::from_slice(&event.to_json()).unwrap();
            assert_eq!(decode(&envelope(&json!({ "data": data }))).as_ref(), Ok(&event));
            // An extension may have the name of one of our fields: it is the envelope's.
            assert_eq!(decode(&envelope(&json!({ "data": data, "status": "new", "email": 7 }))).as_ref(), Ok(&event));
            assert_eq!(decode(&[b"\0\0\0\0\x07", &envelope(&json!({ "data": data }))[..]].concat()), Ok(event), "framed by a registry too");
        }
    }

    #[test]
    fn a_broken_rule_is_named_as_without_the_envelope() {
        let mut data: Value = serde_json::from_slice(&samples::of(EventType::UserCreated).to_json()).unwrap();
        data["email"] = json!(7);
        let violation = decode(&envelope(&json!({ "data": data }))).unwrap_err();
        assert_eq!(violation.to_string(), "UserCreated.email must be a string");
        assert_eq!(violation.event_id, Some(samples::of(EventType::UserCreated).id));
    }

    #[test]
    fn the_attributes_of_the_envelope_complete_nothing() {
        let mut data: Value = serde_json::from_slice(&samples::of(EventType::UserCreated).to_json()).unwrap();
        data.as_object_mut().unwrap().remove("eventId");
        let violation = decode(&envelope(&json!({ "data": data, "eventId": samples::of(EventType::UserCreated).id }))).unwrap_err();
        assert_eq!(violation.field.unwrap().field, Some(Field::EventId));
    }

    #[test]
    fn an_envelope_without_an_object_in_it_is_called_so() {
        for (members, what) in [
            (json!({}), "without `data`"),
            (json!({ "data": null }), "without `data`"),
            (json!({ "data_base64": "e30=" }), "with `data_base64` alone"),
            (json!({ "data": "{}" }), "whose `data` is no object"),
            (json!({ "data": [] }), "whose `data` is no object"),
        ] {
            let violation = decode(&envelope(&members)).unwrap_err();
            let expected = format!("the message is a CloudEvent {what}: the event must be a JSON object in its `data`");
            assert_eq!((violation.to_string(), violation.rule.label()), (expected, "cloud_event_data"), "{members}");
        }
    }

    #[test]
    fn only_one_envelope_is_opened_and_only_a_cloud_event_is_one() {
        let event: Value = serde_json::from_slice(&samples::of(EventType::UserCreated).to_json()).unwrap();
        let inner: Value = serde_json::from_slice(&envelope(&json!({ "data": event }))).unwrap();
        for message in
            [json!({ "specversion": "1.0", "data": inner }), json!({ "data": event }), json!({ "specversion": 1, "data": event })]
        {
            assert_eq!(decode(message.to_string().as_bytes()).unwrap_err().to_string(), "eventType is missing");
        }
    }

    #[test]
    fn an_event_may_have_fields_of_these_names() {
        let mut event: Value = serde_json::from_slice(&samples::of(EventType::UserCreated).to_json()).unwrap();
        event["specversion"] = json!("1.0");
        event["data"] = json!({});
        assert_eq!(decode(event.to_string().as_bytes()), Ok(samples::of(EventType::UserCreated)));
    }
}
