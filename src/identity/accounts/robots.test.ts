import { describe, expect, test } from 'vitest'
import { openAuthWithUsers } from '../../../test/support/parts/open-auth.ts'
import { tester } from '../../../test/support/parts/tester.ts'

describe('robots', () => {
  test('belong to an owner that is there, and are no users', async () => {
    await using open = await openAuthWithUsers()
    const { robots, accounts } = open.auth
    const robot = await robots.create('bob+ci', tester)
    expect(robot).toMatchObject({ kind: 'robot', name: 'bob+ci', isAdmin: false, disabled: false })
    await robots.create('root+deploy', tester)
    const names = async (owner?: string): Promise<string[]> =>
      (await robots.list({ owner, limit: 10 })).map(({ name }) => name)
    expect([await names(), await names('bob')]).toEqual([['bob+ci', 'root+deploy'], ['bob+ci']])
    expect(await accounts.find('bob+ci')).toBeUndefined()
    expect((await accounts.list({ limit: 10 })).map(({ name }) => name)).toEqual(['bob', 'root'])
    expect(await robots.find('bob')).toBeUndefined()
    expect(JSON.stringify(robot)).not.toContain('passwordHash')
    await expect(robots.create('nobody+ci', tester)).rejects.toMatchObject({ name: 'OwnerUnknownError' })
    await expect(names('nobody')).rejects.toMatchObject({ name: 'OwnerUnknownError' })
    await expect(robots.create('bob+ci', tester)).rejects.toMatchObject({ name: 'RobotExistsError' })
  })

  test.each(['bob', '+ci', 'bob+', 'bob+CI', 'bob+a+b', 'bob+a/b', `bob+${'x'.repeat(51)}`, 'bob+ci\n'])(
    'are not named %j',
    async (name) => {
      await using open = await openAuthWithUsers()
      await expect(open.auth.robots.create(name, tester)).rejects.toMatchObject({ name: 'RobotNameError' })
    },
  )

  test('B4: get no password, and are changed as robots alone', async () => {
    await using open = await openAuthWithUsers()
    const { robots, accounts } = open.auth
    await robots.create('bob+ci', tester)
    const unknown = expect.objectContaining({ name: 'AccountUnknownError' })
    await expect(accounts.setPassword('bob+ci', 'a password of some length', tester)).rejects.toEqual(unknown)
    await expect(accounts.disable('bob+ci', tester)).rejects.toEqual(unknown)
    for (const change of ['disable', 'enable', 'delete'] as const) {
      await expect(robots[change]('bob', tester)).rejects.toMatchObject({ name: 'RobotUnknownError' })
    }
    expect(await robots.find('bob+ci')).toMatchObject({ disabled: false })
  })

  test('leave what happened to them in the audit', async () => {
    await using open = await openAuthWithUsers()
    const { robots } = open.auth
    await robots.create('bob+ci', tester)
    await robots.disable('bob+ci', tester)
    expect(await robots.find('bob+ci')).toMatchObject({ disabled: true })
    await robots.enable('bob+ci', tester)
    await robots.delete('bob+ci', tester)
    expect(await robots.find('bob+ci')).toBeUndefined()
    const events = await open.audit.search({
      filter: { target: 'bob+ci' },
      limit: 9,
    })
    expect(events.map(({ action }) => action).toReversed()).toEqual([
      'robot.create',
      'robot.disable',
      'robot.enable',
      'robot.delete',
    ])
  })
})
