"""What EHRs speak: CDS Hooks, FHIR and SMART."""
