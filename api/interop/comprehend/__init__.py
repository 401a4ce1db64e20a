"""InferICD10CM of Amazon Comprehend Medical, as a site that comes from there has its programs call it."""
