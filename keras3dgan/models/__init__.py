"""The networks and trainable models. Importing this registers all of them with Keras, so that their files load."""

from keras3dgan.models.adversarial.latent_r3gan import LatentR3GAN
from keras3dgan.models.adversarial.voxel_gan import VoxelGAN
from keras3dgan.models.adversarial.voxel_r3gan import VoxelR3GAN
from keras3dgan.models.adversarial.voxel_vae_gan import VoxelVAEGAN
from keras3dgan.models.adversarial.voxel_wgan_gp import VoxelWGANGP
from keras3dgan.models.discriminator import Discriminator
from keras3dgan.models.encoder import Encoder
from keras3dgan.models.generative_compressor import GenerativeCompressor
from keras3dgan.models.generator import Generator
from keras3dgan.models.latent_critic import LatentCritic
from keras3dgan.models.latent_generator import LatentGenerator
from keras3dgan.models.latent_mapping import LatentMapping
from keras3dgan.models.picture_encoder import PictureEncoder
from keras3dgan.models.picture_to_latents import PictureToLatents
from keras3dgan.models.reconstructor import Reconstructor
from keras3dgan.models.residual_decoder import ResidualDecoder
from keras3dgan.models.residual_encoder import ResidualEncoder
from keras3dgan.models.voxel_autoencoder import VoxelAutoencoder
from keras3dgan.models.voxnet import VoxNet

__all__ = [
    "Discriminator",
    "Encoder",
    "GenerativeCompressor",
    "Generator",
    "LatentCritic",
    "LatentGenerator",
    "LatentMapping",
    "LatentR3GAN",
    "PictureEncoder",
    "PictureToLatents",
    "Reconstructor",
    "ResidualDecoder",
    "ResidualEncoder",
    "VoxNet",
    "VoxelAutoencoder",
    "VoxelGAN",
    "VoxelR3GAN",
    "VoxelVAEGAN",
    "VoxelWGANGP",
]
