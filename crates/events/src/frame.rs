//! What the serializers of schema registries put before a value: a zero byte and the schema's id in four bytes (Confluent's *wire format*, which
//! Apicurio and others write too). The JSON Schema serializer puts the JSON text behind it as it is.

use crate::Rule;

/// The bytes before the value.
const FRAME: usize = 5;

/// The JSON text of a message: the message itself, or what a registry's frame holds.
///
/// # Errors
/// [`Rule::RegistryFramed`]: the frame holds no JSON object, but Avro, Protobuf or something else.
pub fn unframed(message: &[u8]) -> Result<&[u8], Rule> {
    // No JSON text begins with a zero byte. One before an object is a stray one: no schema has so high an id.
    match message.split_first_chunk::<FRAME>() {
        Some(([0, id, ..], framed)) if *id != b'{' && !framed.is_empty() => {
            if framed.trim_ascii_start().starts_with(b"{") {
                Ok(framed)
            } else {
                Err(Rule::RegistryFramed)
            }
        }
        _ => Ok(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventType, decode, samples};

    #[test]
    fn an_event_is_taken_out_of_its_frame() {
        for event_type in EventType::ALL {
            let event = samples::of(event_type);
            let framed = [b"\0\0\x12\xff\xfe", &event.to_json()[..]].concat();
            assert_eq!(decode(&framed), Ok(event));
        }
        assert_eq!(unframed(b"\0\0\0\0\x01 \n{}"), Ok(&b" \n{}"[..]));
    }

    #[test]
    fn what_is_framed_and_no_json_is_called_so() {
        for message in [&b"\0\0\0\0\x01\x02\x10ada"[..], b"\0\0\0\0\x01\x00\x0a\x05", b"\0\0\0\0\x01[]"] {
            assert_eq!(decode(message).unwrap_err().rule, Rule::RegistryFramed, "{message:?}");
        }
    }

    #[test]
    fn what_is_too_short_for_a_frame_or_does_not_begin_with_zero_is_no_frame() {
        for message in [&b""[..], b"\0", b"\0\0\0\0\x01", b"{}", b"\x01\0\0\0\x01{}", b"\0{\"a\":1}"] {
            assert_eq!(unframed(message), Ok(message));
        }
    }
}
