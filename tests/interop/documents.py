"""Small documents in the formats that EHRs keep."""

from __future__ import annotations

import base64


def pdf(*lines: str) -> bytes:
    """A PDF of one page with these lines of text; without lines, a page as a scan gives it."""
    content = "BT /F1 12 Tf 50 700 Td " + " ".join(f"({line}) Tj 0 -20 Td" for line in lines) + " ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(content)}>>stream\n{content}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj{body}endobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    out += f"xref\n0 6\n0000000000 65535 f \n{table}trailer<</Size 6/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF"
    return out.encode("latin-1")


RTF = (
    rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\f0 Assessment:\par 1. Gout of the left foot."
    rb"\par 2. M\'e9ni\'e8re disease.}"
)
HTML = """<html><head><title>no</title><style>p {color: red}</style><script>alert("pneumonia")</script></head><body>
<h1>Assessment</h1><ul><li>Essential   hypertension</li><li>Gout &amp; obesity</li></ul>
<table><tr><td>HbA1c</td><td>7.9</td></tr></table><!-- sepsis --></body></html>"""
CDA = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Note</title><component><structuredBody>
<component><section><title>Assessment</title><text><list><item>Essential hypertension</item><item>Gout</item></list>
<table><tbody><tr><td>Hypothyroidism</td><td>on levothyroxine</td></tr></tbody></table></text>
<entry><act><code displayName="sepsis"/></act></entry></section></component>
</structuredBody></component></ClinicalDocument>"""
CDA_TEXT = f"""<ClinicalDocument xmlns="urn:hl7-org:v3"><component><nonXMLBody>
<text mediaType="text/html" representation="B64">{base64.b64encode(HTML.encode()).decode()}</text>
</nonXMLBody></component></ClinicalDocument>"""
BOMB = """<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<ClinicalDocument xmlns="urn:hl7-org:v3"><title>&b;</title></ClinicalDocument>"""
OUTSIDE = """<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<ClinicalDocument xmlns="urn:hl7-org:v3"><title>&a;</title></ClinicalDocument>"""
