/**
 * The words that CBV 2.0 defines for values of EPCIS fields, by the field they may stand in. In JSON they stand bare
 * ("receiving"); each has a web URI, which is `base` followed by the word.
 */
export interface Vocabulary {
  readonly base: string;
  readonly words: ReadonlySet<string>;
}

const cbv = 'https://ref.gs1.org/cbv/';
const gs1 = 'https://gs1.org/voc/';

function vocabulary(base: string, words: string): Vocabulary {
  return { base, words: new Set(words.trim().split(/\s+/)) };
}

/** CBV 2.0 section 7.1. */
export const businessSteps = vocabulary(
  `${cbv}BizStep-`,
  `accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting
   decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting installing
   killing loading other packing picking receiving removing repackaging repairing replacing reserving retail_selling
   sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting unloading unpacking
   void_shipping`,
);

/** CBV 2.0 section 7.2. */
export const dispositions = vocabulary(
  `${cbv}Disp-`,
  `active available completeness_inferred completeness_verified conformant container_closed container_open damaged
   destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance
   mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed recalled
   reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown`,
);

/** CBV 2.0 section 7.3. */
export const businessTransactionTypes = vocabulary(
  `${cbv}BTT-`,
  'bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt',
);

/** CBV 2.0 section 7.4. */
export const sourceDestinationTypes = vocabulary(`${cbv}SDT-`, 'location owning_party possessing_party');

/** CBV 2.0 section 7.5. */
export const errorReasons = vocabulary(`${cbv}ER-`, 'did_not_occur incorrect_data');

/** CBV 2.0 section 7.8. */
export const components = vocabulary(
  `${cbv}Comp-`,
  `altitude axial_distance azimuth easting elevation_angle height latitude longitude northing polar_angle
   spherical_radius x y z`,
);

/** Alerts of the GS1 Web Vocabulary (EPCIS 2.0 section 7.3.8). */
export const sensorAlertTypes = vocabulary(gs1, 'ALARM_CONDITION ERROR_CONDITION');

/** Measurement types of the GS1 Web Vocabulary (EPCIS 2.0 section 7.3.8). */
export const measurementTypes = vocabulary(
  gs1,
  `AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance
   AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance Conductance
   Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity ElectricCharge
   ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency Illuminance Inductance
   Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux LuminousIntensity MagneticFlux
   MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity
   MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity Radioactivity
   RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time
   Torque Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber`,
);
