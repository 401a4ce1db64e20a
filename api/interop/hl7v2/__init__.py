"""HL7 version 2: documents in by MDM, submitted codes out by DFT, over MLLP and HTTP."""
