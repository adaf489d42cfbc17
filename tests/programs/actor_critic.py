"""Policy gradients: actor-critic with Categorical, then PPO with Normal, orthogonal weights and NumPy minibatches."""

from collections import namedtuple

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.distributions import Categorical, Normal

SavedAction = namedtuple("SavedAction", ["log_prob", "value"])
eps = np.finfo(np.float32).eps.item()


class Pole:
    """Falls slowly, unless it is pushed the other way."""

    def __init__(self, seed):
        self.rng = np.random.RandomState(seed)

    def reset(self):
        self.t, self.state = 0, self.rng.uniform(-0.05, 0.05, 4)
        return self.state

    def step(self, action):
        self.t += 1
        self.state = self.state * 1.1 + (0.1 if action else -0.1) + self.rng.randn(4) * 0.01
        return self.state, 1.0, bool(np.abs(self.state).max() > 0.6 or self.t > 12)


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(4, 8)
        self.action_head, self.value_head = nn.Linear(8, 2), nn.Linear(8, 1)
        self.saved_actions, self.rewards = [], []

    def forward(self, x):
        x = F.relu(self.affine1(x))
        return F.softmax(self.action_head(x), dim=-1), self.value_head(x)


def select_action(model, state):
    probs, value = model(torch.from_numpy(state).to(torch.get_default_dtype()))
    m = Categorical(probs)
    action = m.sample()
    model.saved_actions.append(SavedAction(m.log_prob(action), value))
    return action.item()


def finish_episode(model, optimizer, gamma=0.99):
    R, returns, policy_losses, value_losses = 0, [], [], []
    for r in model.rewards[::-1]:
        R = r + gamma * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + eps)
    for (log_prob, value), R in zip(model.saved_actions, returns):
        policy_losses.append(-log_prob * (R - value.item()))
        value_losses.append(F.smooth_l1_loss(value, torch.tensor([R])))
    optimizer.zero_grad()
    loss = torch.stack(policy_losses).sum() + torch.stack(value_losses).sum()
    loss.backward()
    optimizer.step()
    del model.rewards[:]
    del model.saved_actions[:]
    return loss.item()


def layer_init(layer, std=2**0.5, bias_const=0.0):
    torch.nn.init.orthogonal_(layer.weight, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Sequential(layer_init(nn.Linear(4, 6)), nn.Tanh(), layer_init(nn.Linear(6, 1), std=1.0))
        self.actor_mean = nn.Sequential(layer_init(nn.Linear(4, 6)), nn.Tanh(), layer_init(nn.Linear(6, 2), std=0.01))
        self.actor_logstd = nn.Parameter(torch.zeros(1, 2))

    def get_action_and_value(self, x, action=None):
        action_mean = self.actor_mean(x)
        probs = Normal(action_mean, torch.exp(self.actor_logstd.expand_as(action_mean)))
        if action is None:
            action = probs.sample()
        return action, probs.log_prob(action).sum(1), probs.entropy().sum(1), self.critic(x)


def ppo(agent, optimizer, obs, clip=0.2):
    with torch.no_grad():
        actions, logprobs, _, values = agent.get_action_and_value(obs)
        rewards, advantages, last = torch.randn(len(obs)), torch.zeros(len(obs)), 0
        for t in reversed(range(len(obs) - 1)):
            delta = rewards[t] + 0.99 * values[t + 1] - values[t]
            advantages[t] = last = delta + 0.99 * 0.95 * last
        values = values.flatten()
        returns = advantages + values
    for _epoch in range(2):
        for mb in np.random.permutation(len(obs)).reshape(2, -1):
            _, newlogprob, entropy, newvalue = agent.get_action_and_value(obs[mb], actions[mb])
            logratio = newlogprob - logprobs[mb]
            ratio = logratio.exp()
            with torch.no_grad():
                approx_kl = ((ratio - 1) - logratio).mean()
            adv = (advantages[mb] - advantages[mb].mean()) / (advantages[mb].std() + 1e-8)
            pg_loss = torch.max(-adv * ratio, -adv * torch.clamp(ratio, 1 - clip, 1 + clip)).mean()
            newvalue = newvalue.view(-1)
            v_clipped = values[mb] + torch.clamp(newvalue - values[mb], -clip, clip)
            v_loss = 0.5 * torch.max((newvalue - returns[mb]) ** 2, (v_clipped - returns[mb]) ** 2).mean()
            loss = pg_loss - 0.01 * entropy.mean() + v_loss * 0.5
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()
        print(f"loss {loss.item():.4f} kl {approx_kl.item():.6f}")


torch.manual_seed(543)
np.random.seed(0)
env, model = Pole(1), Policy()
optimizer = optim.Adam(model.parameters(), lr=3e-2)
for episode in range(3):
    state, done = env.reset(), False
    while not done:
        state, reward, done = env.step(select_action(model, state))
        model.rewards.append(reward)
    length = len(model.rewards)
    print(f"episode {episode}: {length} steps, loss {finish_episode(model, optimizer):.4f}")
agent = Agent()
ppo(agent, optim.Adam(agent.parameters(), lr=3e-3, eps=1e-5), torch.randn(12, 4))
