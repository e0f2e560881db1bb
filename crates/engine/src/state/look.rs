//! What those who look at state rows from outside may rely on, whatever else stands in them.

use model::{IncidentId, Severity, Status};

use crate::state::{alert::Alert, incident::State, pack::unpack};

/// What the row of an alert says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertRow {
    /// Firing or resolved.
    pub status: Status,
    /// Its severity.
    pub severity: Severity,
    /// The incident it is in.
    pub incident: Option<IncidentId>,
}

impl AlertRow {
    /// Reads a row of the table `alert`; the error says what is wrong with it.
    pub fn read(value: &[u8]) -> Result<AlertRow, String> {
        let alert: Alert = unpack(value)?;
        Ok(AlertRow {
            status: alert.status,
            severity: alert.severity,
            incident: alert.incident,
        })
    }
}

/// What the row of an incident says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncidentRow {
    /// The worst severity that was paged for, as long as that lasts.
    pub paged_severity: Option<Severity>,
}

impl IncidentRow {
    /// Reads a row of the table `incident`; the error says what is wrong with it.
    pub fn read(value: &[u8]) -> Result<IncidentRow, String> {
        let state: State = unpack(value)?;
        Ok(IncidentRow {
            paged_severity: state.paged_severity,
        })
    }
}
