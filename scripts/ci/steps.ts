/**
 * The steps of `.ci/run`, in this order. A new suite is one row. All budgets together stay below 70 minutes, a whole run below
 * 35.
 */
export interface Step {
  readonly name: string
  readonly command: readonly string[]
  /** The time after which the step is stopped and counts as failed. */
  readonly budgetSeconds: number
  /** Whether the command runs vitest and accepts reporter flags at its end: its tests count one by one. */
  readonly vitest?: boolean
}

export const steps: readonly Step[] = [
  { name: 'unit', command: ['npm', 'test', '--'], budgetSeconds: 270, vitest: true },
  { name: 'processes', command: vitestProject('processes'), budgetSeconds: 120, vitest: true },
  { name: 'check', command: ['npm', 'run', '--silent', 'check'], budgetSeconds: 100 },
  { name: 'install', command: ['bash', 'scripts/tools/debian-packages.sh'], budgetSeconds: 150 },
  { name: 'install-docker', command: ['bash', 'scripts/tools/docker-sid.sh'], budgetSeconds: 60 },
  { name: 'install-clients', command: ['bash', 'scripts/tools/debian-clients.sh'], budgetSeconds: 90 },
  { name: 'install-python-clients', command: ['bash', 'scripts/tools/python-clients.sh'], budgetSeconds: 60 },
  { name: 'install-jib', command: ['bash', 'scripts/tools/jib-client.sh'], budgetSeconds: 90 },
  { name: 'install-schemathesis', command: ['bash', 'scripts/tools/schemathesis.sh'], budgetSeconds: 60 },
  {
    name: 'install-go-tools',
    command: ['bash', 'scripts/tools/go-tools.sh', '--peer', '--clients'],
    budgetSeconds: 330,
  },
  { name: 'install-suites', command: ['bash', 'scripts/tools/client-suites.sh'], budgetSeconds: 240 },
  {
    name: 'contract-postgres',
    command: [
      'node',
      'scripts/postgres.ts',
      '--',
      ...vitestProject('contract-postgres'),
      '--project',
      'rights-postgres',
    ],
    budgetSeconds: 140,
    vitest: true,
  },
  { name: 'api', command: vitestProject('api'), budgetSeconds: 130, vitest: true },
  { name: 'conformance', command: vitestProject('conformance'), budgetSeconds: 120, vitest: true },
  { name: 'differences', command: vitestProject('differences'), budgetSeconds: 40, vitest: true },
  { name: 'clients', command: vitestProject('clients'), budgetSeconds: 560, vitest: true },
  { name: 'crash', command: vitestProject('crash'), budgetSeconds: 480, vitest: true },
  { name: 'pack', command: ['node', 'scripts/ci/pack.ts'], budgetSeconds: 120 },
]

function vitestProject(name: string): readonly string[] {
  return ['npx', 'vitest', 'run', '--project', name]
}
