//! An authority and its certificates, made anew by each test.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};

/// A certificate and its key.
pub struct Certified {
    pub key: PKey<Private>,
    pub certificate: X509,
}

/// Somebody who signs certificates.
pub struct Authority(Certified);

impl Authority {
    pub fn new() -> Self {
        let (name, key) = (common_name("an authority"), key());
        let mut builder = prepare(&name, &name, &key);
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self(Certified { certificate: builder.build(), key })
    }

    /// Its own certificate, as `MSSQL_CA_FILE` holds it.
    pub fn pem(&self) -> Vec<u8> {
        self.0.certificate.to_pem().unwrap()
    }

    /// A certificate for a host.
    pub fn certificate(&self, host: &str) -> Certified {
        let key = key();
        let issuer = self.0.certificate.subject_name().to_owned().unwrap();
        let mut builder = prepare(&common_name(host), &issuer, &key);
        let for_host = SubjectAlternativeName::new().dns(host).build(&builder.x509v3_context(Some(&self.0.certificate), None)).unwrap();
        builder.append_extension(for_host).unwrap();
        builder.sign(&self.0.key, MessageDigest::sha256()).unwrap();
        Certified { certificate: builder.build(), key }
    }
}

fn key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

fn common_name(text: &str) -> X509Name {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", text).unwrap();
    name.build()
}

/// A certificate that only lacks its signature.
fn prepare(subject: &X509Name, issuer: &X509Name, key: &PKey<Private>) -> X509Builder {
    let mut serial = BigNum::new().unwrap();
    serial.rand(127, MsbOption::MAYBE_ZERO, false).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(subject).unwrap();
    builder.set_issuer_name(issuer).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
    builder
}
